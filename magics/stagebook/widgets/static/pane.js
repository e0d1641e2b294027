// @ts-check
import { button, element, stateMark, table } from "./dom.js";

/**
 * What is said of a stage beside the graph.
 * @typedef {object} Detail
 * @property {string} name
 * @property {string[]} changes
 * @property {{number: number, source: string}[]} cells
 * @property {[string, string][]} reads names, and the stages they come from
 * @property {[string, string][]} makes names, and the stages that take them
 * @property {[string, string][]} facts
 * @property {[string, string][]} metrics
 * @property {{this: string, from: string}} actions
 * @property {boolean} kept whether there is something of it in the store
 * @property {boolean} values whether there are values among that
 */

/**
 * @typedef {object} Doing what the pane's buttons do
 * @property {(how: string) => void} run
 * @property {() => void} load
 * @property {() => void} close
 * @property {(section: string) => void} open asks for what a section shows
 */

/** Sections that are open, for whichever stage is looked at. */
const open = new Set();

/**
 * The pane of a stage.
 * @param {Detail} detail
 * @param {boolean} loads whether values can be loaded into the notebook
 * @param {Doing} doing
 * @returns {HTMLElement}
 */
export function paneOf(detail, loads, doing) {
  return element(
    "section",
    { class: "sb-pane", "aria-label": `Stage ${detail.name}` },
    headOf(detail, doing),
    element("p", { class: "sb-reason" }),
    detail.changes.length ? element("ul", { class: "sb-changes" }, ...detail.changes.map((text) => element("li", {}, text))) : null,
    buttonsOf(detail, loads, doing),
    factsOf(detail.facts),
    detail.metrics.length ? part("Metrics", table([], detail.metrics, true)) : null,
    flowsOf("Reads", detail.reads, "from"),
    flowsOf("Makes", detail.makes, "for"),
    folded("code", codeTitle(detail), doing, ...detail.cells.map(cellOf)),
    detail.values ? folded("values", "Values", doing) : null,
    detail.kept ? folded("figures", "Figures", doing) : null,
  );
}

/**
 * Show how the stage stands now.
 * @param {HTMLElement} pane
 * @param {{state: string, reason: string}} stage
 * @param {boolean} busy whether nothing can be run, as a run is under way or nobody would hear of it
 */
export function showStanding(pane, stage, busy) {
  pane.querySelector(".sb-state")?.replaceWith(stateMark(stage.state));
  const reason = /** @type {HTMLElement} */ (pane.querySelector(".sb-reason"));
  reason.textContent = stage.reason;
  reason.classList.toggle("sb-failed", stage.state === "failed");
  for (const one of pane.querySelectorAll(".sb-buttons button")) /** @type {HTMLButtonElement} */ (one).disabled = busy;
}

/**
 * Fill an open section.
 * @param {HTMLElement} pane
 * @param {string} section
 * @param {HTMLElement} content
 */
export function fill(pane, section, content) {
  pane.querySelector(`details[data-section="${section}"] .sb-content`)?.replaceChildren(content);
}

/**
 * @param {Detail} detail
 * @param {Doing} doing
 */
function headOf(detail, doing) {
  const close = button("×", doing.close, { class: "sb-button sb-close", "aria-label": `Close stage ${detail.name}`, "data-key": "close" });
  return element("header", {}, element("h3", {}, detail.name), stateMark(""), close);
}

/**
 * @param {Detail} detail
 * @param {boolean} loads
 * @param {Doing} doing
 */
function buttonsOf(detail, loads, doing) {
  const { actions } = detail;
  return element(
    "div",
    { class: "sb-buttons" },
    button(actions.this, () => doing.run("this"), { "data-key": "this" }),
    actions.from ? button(actions.from, () => doing.run("from"), { "data-key": "from" }) : null,
    loads && detail.values ? button("Load its values", doing.load, { "data-key": "load", title: "Put them into the notebook’s namespace" }) : null,
  );
}

/** @param {[string, string][]} facts */
function factsOf(facts) {
  if (!facts.length) return null;
  const pairs = facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
  return element("dl", { class: "sb-facts" }, ...pairs);
}

/**
 * @param {string} title
 * @param {[string, string][]} flows
 * @param {string} word
 */
function flowsOf(title, flows, word) {
  if (!flows.length) return null;
  const item = (/** @type {[string, string]} */ [name, stages]) =>
    element("li", {}, element("code", {}, name), stages ? element("span", { class: "sb-quiet" }, ` ${word} ${stages}`) : null);
  return part(title, element("ul", { class: "sb-flows" }, ...flows.map(item)));
}

/**
 * @param {string} title
 * @param {HTMLElement} content
 */
function part(title, content) {
  return element("div", { class: "sb-part" }, element("h4", {}, title), content);
}

/**
 * A section that is folded away until somebody opens it.
 * @param {string} section
 * @param {string} title
 * @param {Doing} doing
 * @param {...HTMLElement} content what it shows, where that need not be asked for
 */
function folded(section, title, doing, ...content) {
  const place = element("div", { class: "sb-content" }, ...content);
  const made = /** @type {HTMLDetailsElement} */ (
    element("details", { "data-section": section }, element("summary", { "data-key": section }, title), place)
  );
  made.addEventListener("toggle", () => {
    if (!made.open) return void open.delete(section);
    open.add(section);
    if (place.childElementCount === 0) {
      place.append(element("p", { class: "sb-quiet" }, "Loading …"));
      doing.open(section);
    }
  });
  made.open = open.has(section);
  return made;
}

/** @param {Detail} detail */
function codeTitle(detail) {
  return `Code · cell${detail.cells.length === 1 ? "" : "s"} ${detail.cells.map((cell) => cell.number).join(", ")}`;
}

/** @param {{number: number, source: string}} cell */
function cellOf(cell) {
  return element("pre", { class: "sb-code", "aria-label": `Cell ${cell.number}`, tabindex: "0" }, cell.source);
}
