/** The parameters that are given instead of the notebook's. */

/** Of a browser's storage, what is needed of it. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

type Texts = Readonly<Record<string, string>>;

/**
 * What somebody has put into the fields of the parameters.
 *
 * A page that is loaded anew has it again, as the runs that were made with it are the ones that count for how stages stand.
 * Secrets are kept nowhere.
 */
export class Given {
  /**
   * @param shelf - where texts are kept while the browser's tab is open; null where there is no such place
   * @param path - the notebook's
   */
  constructor(
    private readonly _shelf: Shelf | null,
    private readonly _path: () => string
  ) {
    this._values = this._kept();
  }

  /** The texts of Python, by the parameters' names. */
  get values(): Texts {
    return this._values;
  }

  set values(values: Texts) {
    this._values = values;
    const key = PREFIX + this._path();
    try {
      if (Object.keys(values).length === 0) {
        this._shelf?.removeItem(key);
      } else {
        this._shelf?.setItem(key, JSON.stringify(values));
      }
    } catch {
      // There is no room, or the browser keeps nothing: they are given until the page is left.
    }
  }

  /** Parameters whose fields hold what they do not take: nothing runs until that is mended. */
  readonly wrong = new Set<string>();

  /** Values for secret parameters: they are given to the next runs. */
  secrets: Texts = {};

  /** Forget those that are not among these names; whether there were any. */
  keep(names: readonly string[]): boolean {
    const known = Object.entries(this._values).filter(([name]) => names.includes(name));
    const areFewer = known.length < Object.keys(this._values).length;
    if (areFewer) {
      this.values = Object.fromEntries(known);
    }
    return areFewer;
  }

  private _kept(): Texts {
    try {
      const found: unknown = JSON.parse(this._shelf?.getItem(PREFIX + this._path()) ?? '{}');
      const texts = Object.entries(found ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string'
      );
      return Object.fromEntries(texts);
    } catch {
      return {};
    }
  }

  private _values: Texts;
}

const PREFIX = 'stagebook:given:';

/** The browser's storage for as long as a tab is open; null where it has none, or gives none. */
export function shelf(): Shelf | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
