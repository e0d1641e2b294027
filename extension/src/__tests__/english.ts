/** A translator that leaves English as it is. */
export const ENGLISH = {
  __: (text: string, ...args: (string | number)[]) =>
    text.replace(/%(\d)/g, (_match, place: string) => String(args[Number(place) - 1] ?? '')),
  _n: (one: string, many: string, count: number) =>
    (count === 1 ? one : many).replace('%1', String(count)),
  _p: String,
  _np: String,
  gettext: String,
  ngettext: String,
  pgettext: String,
  npgettext: String,
  dcnpgettext: String
};
