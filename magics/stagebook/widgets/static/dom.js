// @ts-check
/** Elements. Text given to them stays text, whatever is in it. */

/**
 * An element with attributes and children; a child that is null is left out.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/**
 * A button that says what it does.
 * @param {string} text
 * @param {() => void} press
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLButtonElement}
 */
export function button(text, press, attributes = {}) {
  const made = element("button", { type: "button", class: "sb-button", ...attributes }, text);
  made.addEventListener("click", press);
  return /** @type {HTMLButtonElement} */ (made);
}

/**
 * A table of texts; the first cell of a row is its head where `named` says so.
 * @param {string[]} heads
 * @param {string[][]} rows
 * @param {boolean} [named]
 * @returns {HTMLElement}
 */
export function table(heads, rows, named = false) {
  const cell = (/** @type {string} */ text, /** @type {number} */ at) =>
    named && at === 0 ? element("th", { scope: "row" }, text) : element("td", {}, text);
  return element(
    "table",
    { class: "sb-table" },
    heads.length ? element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))) : null,
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))),
  );
}

/**
 * The dot and the word for a state: the colour never stands alone.
 * @param {string} state
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function stateMark(state, text = state) {
  return element("span", { class: "sb-state", "data-state": state }, element("i", { class: "sb-dot", "aria-hidden": "true" }), text);
}

/**
 * The place that a widget draws in. Jupyter's own shortcuts leave alone what is typed there.
 * @param {HTMLElement} el
 * @param {string} name
 * @returns {HTMLElement}
 */
export function rootIn(el, name) {
  const root = element("div", { class: `stagebook ${name}`, "data-lm-suppress-shortcuts": "true" });
  el.replaceChildren(root);
  return root;
}
