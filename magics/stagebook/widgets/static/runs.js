// @ts-check
import { button, element, rootIn, stateMark, table } from "./dom.js";
import { converse, follow } from "./kernel.js";

/** @typedef {import("./kernel.js").Model} Model */
/** @typedef {{id: string, state: string, texts: string[], places: (number | null)[]}} Row */
/** @typedef {{title: string, heads: string[], rows: string[][], below: string[]}} Section */

const STATE = "state";

/** The table of runs, sorted by one of its columns, some rows chosen to be compared. */
class Runs {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.there = false;
    this.column = -1;
    this.descending = false;
    /** @type {Set<string>} */
    this.chosen = new Set();
    this.title = element("strong", {});
    this.compare = button("", () => this.model.send({ do: "compare", runs: [...this.chosen] }), { class: "sb-button sb-main" });
    this.refresh = button("Refresh", () => this.model.send({ do: "refresh" }));
    this.said = element("p", { class: "sb-hidden", role: "status", "aria-live": "polite" });
    this.place = element("div", { class: "sb-scrolled sb-rows" });
    this.below = element("div", { class: "sb-beside" });
    const buttons = element("div", { class: "sb-buttons" }, this.compare, this.refresh);
    root.append(element("header", { class: "sb-head" }, this.title, buttons), this.said, this.place, this.below);
  }

  draw() {
    this.title.textContent = this.model.get("title");
    this.place.replaceChildren(this.tableOf(this.model.get("heads"), this.sorted()));
    this.showButtons();
  }

  /** @returns {Row[]} in the order of the column that was asked for; rows that have nothing there come last */
  sorted() {
    const rows = [.../** @type {Row[]} */ (this.model.get("rows"))];
    const { column } = this;
    if (column < 0) return rows;
    const sign = this.descending ? -1 : 1;
    const place = (/** @type {Row} */ row) => row.places[column];
    return rows.sort((one, other) => {
      const [a, b] = [place(one), place(other)];
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      return sign * (a - b);
    });
  }

  /**
   * @param {{text: string, number: boolean}[]} heads
   * @param {Row[]} rows
   */
  tableOf(heads, rows) {
    if (!rows.length) return element("p", { class: "sb-quiet" }, "Run the pipeline, and its runs are listed here.");
    const choose = element("th", { scope: "col" }, element("span", { class: "sb-hidden" }, "compare"));
    const head = element("tr", {}, choose, ...heads.map((one, at) => this.headOf(one, at)));
    const body = rows.map((row) => this.rowOf(heads, row));
    return element("table", { class: "sb-table" }, element("thead", {}, head), element("tbody", {}, ...body));
  }

  /**
   * @param {{text: string, number: boolean}} head
   * @param {number} at
   */
  headOf(head, at) {
    const sorted = at !== this.column ? "none" : this.descending ? "descending" : "ascending";
    const mark = { none: "", ascending: " ↑", descending: " ↓" }[sorted];
    const arrow = element("span", { class: "sb-arrow", "aria-hidden": "true" }, mark);
    const press = button(head.text, () => this.sortBy(at, head), { class: "sb-sort" });
    press.append(arrow);
    return element("th", { scope: "col", "aria-sort": sorted, class: head.number ? "sb-number" : "" }, press);
  }

  /**
   * @param {{text: string, number: boolean}[]} heads
   * @param {Row} row
   */
  rowOf(heads, row) {
    const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox", "aria-label": `Compare run ${row.id}` }));
    box.checked = this.chosen.has(row.id);
    const cells = row.texts.map((text, at) =>
      element("td", { class: heads[at].number ? "sb-number" : "" }, heads[at].text === STATE ? stateMark(row.state, text) : text),
    );
    const made = element("tr", { class: box.checked ? "sb-chosen" : "" }, element("td", {}, box), ...cells);
    box.addEventListener("change", () => {
      if (box.checked) this.chosen.add(row.id);
      else this.chosen.delete(row.id);
      made.classList.toggle("sb-chosen", box.checked);
      this.showButtons();
    });
    return made;
  }

  /**
   * Sort by a column; by the same one again, the other way round. Of numbers, the largest come first.
   * @param {number} at
   * @param {{text: string, number: boolean}} head
   */
  sortBy(at, head) {
    this.descending = at === this.column ? !this.descending : head.number;
    this.column = at;
    this.draw();
    this.said.textContent = `Sorted by ${head.text}, ${this.descending ? "descending" : "ascending"}.`;
    /** @type {HTMLElement | undefined} */ (this.place.querySelectorAll(".sb-sort")[at])?.focus();
  }

  showButtons() {
    const count = this.chosen.size;
    this.compare.textContent = count < 2 ? "Choose runs to compare" : `Compare ${count} runs`;
    this.compare.disabled = count < 2 || !this.there;
    this.refresh.disabled = !this.there;
  }

  showBeside() {
    const trouble = this.model.get("trouble");
    const sections = /** @type {Section[]} */ (this.model.get("beside"));
    this.below.replaceChildren(
      ...(trouble ? [element("p", { class: "sb-trouble", role: "alert" }, trouble)] : []),
      ...sections.map(sectionOf),
    );
  }

  /** @param {boolean} answers */
  found(answers) {
    this.there = answers;
    this.showButtons();
  }
}

/** @param {Section} section */
function sectionOf(section) {
  return element(
    "section",
    {},
    section.title ? element("h4", {}, section.title) : null,
    section.rows.length ? element("div", { class: "sb-scrolled" }, table(section.heads, section.rows, true)) : null,
    ...section.below.map((text) => element("p", { class: "sb-quiet" }, text)),
  );
}

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const runs = new Runs(model, rootIn(el, "sb-runs"));
  const stop = [
    follow(model, { rows: () => runs.draw(), beside: () => runs.showBeside(), trouble: () => runs.showBeside() }),
    converse(model, {}, (answers) => runs.found(answers)),
  ];
  return () => {
    for (const one of stop) one();
  };
}

export default { render };
