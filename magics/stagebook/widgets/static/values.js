// @ts-check
import { element, table } from "./dom.js";

/**
 * A value at a glance.
 * @typedef {{name: string, type: string, about: string, text?: string, heads?: string[], kinds?: string[], rows?: string[][]}} Preview
 */

/**
 * A stage's values, each below its name.
 * @param {{trouble: string, found: Preview[]}} told
 * @returns {HTMLElement}
 */
export function valuesOf(told) {
  return element("div", { class: "sb-values" }, remark(told), ...told.found.map(valueOf));
}

/** @param {Preview} value */
function valueOf(value) {
  return element(
    "article",
    { class: "sb-value" },
    element(
      "header",
      {},
      element("code", {}, value.name),
      element("span", { class: "sb-quiet" }, [value.type, value.about].filter(Boolean).join(" · ")),
    ),
    value.text ? element("pre", { class: "sb-code" }, value.text) : null,
    value.rows ? scrolled(frameOf(value)) : null,
  );
}

/** @param {Preview} value */
function frameOf(value) {
  const made = table(value.heads ?? [], value.rows ?? [], value.heads?.[0] === "");
  made.querySelectorAll("thead th").forEach((head, at) => {
    const kind = value.kinds?.[at];
    if (kind) head.append(element("span", { class: "sb-kind" }, kind));
  });
  return made;
}

/**
 * The pictures that a stage's cells have put out.
 * @param {{trouble: string, found: string[]}} told base64 of PNG
 * @param {string} stage
 * @returns {HTMLElement}
 */
export function figuresOf(told, stage) {
  const images = told.found.map((png, at) =>
    element("img", { src: `data:image/png;base64,${png}`, alt: `Figure ${at + 1} of stage ${stage}` }),
  );
  const none = images.length || told.trouble ? null : element("p", { class: "sb-quiet" }, "Its cells have put out no pictures.");
  return element("div", { class: "sb-figures" }, remark(told), none, ...images);
}

/** @param {{trouble: string}} told */
function remark(told) {
  return told.trouble ? element("p", { class: "sb-remark" }, told.trouble) : null;
}

/** @param {HTMLElement} wide */
function scrolled(wide) {
  return element("div", { class: "sb-scrolled" }, wide);
}
