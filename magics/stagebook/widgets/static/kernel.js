// @ts-check
/** Talking to the Python side. It may be busy, or gone: a saved notebook shows its widgets without a kernel. */

/**
 * What anywidget gives of the Python side.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, callback: (...given: any[]) => void) => void} on
 * @property {(event: string, callback: (...given: any[]) => void) => void} off
 */

const PATIENCE = 1500;

/**
 * Ask whether the Python side is there, and listen to it.
 * @param {Model} model
 * @param {Record<string, (content: any) => void>} hear what to do with what it says, by what it is about
 * @param {(answers: boolean) => void} found called when it has answered, and when it does not in time
 * @returns {() => void} stops listening
 */
export function converse(model, hear, found) {
  const late = setTimeout(() => found(false), PATIENCE);
  /** @param {any} content */
  const listen = (content) => {
    if (content.about === "alive") {
      clearTimeout(late);
      found(true);
    }
    hear[content.about]?.(content);
  };
  model.on("msg:custom", listen);
  model.send({ do: "hello" });
  return () => {
    clearTimeout(late);
    model.off("msg:custom", listen);
  };
}

/**
 * Call for each of these traits when it changes, and once at first.
 * @param {Model} model
 * @param {Record<string, () => void>} draw by name
 * @returns {() => void} stops that
 */
export function follow(model, draw) {
  for (const [name, show] of Object.entries(draw)) {
    model.on(`change:${name}`, show);
    show();
  }
  return () => {
    for (const [name, show] of Object.entries(draw)) model.off(`change:${name}`, show);
  };
}
