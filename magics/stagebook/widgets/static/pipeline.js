// @ts-check
import { button, element, rootIn, stateMark } from "./dom.js";
import { converse, follow } from "./kernel.js";
import { hideStill } from "./still.js";
import { Graph } from "./graph.js";
import { figuresOf, valuesOf } from "./values.js";
import { fill, paneOf, showStanding } from "./pane.js";

/** @typedef {import("./kernel.js").Model} Model */
/** @typedef {import("./graph.js").Stage} Stage */

/** The view of a pipeline: a line above, the graph, beside it the pane of the stage that is looked at. */
class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    /** Whether the Python side answers: it is being `asked`, is `silent`, or `there`. */
    this.kernel = "asked";
    this.chosen = "";
    /** @type {HTMLElement | null} */
    this.pane = null;
    this.head = element("header", { class: "sb-head" });
    this.said = element("p", { class: "sb-said", role: "status", "aria-live": "polite" });
    this.remarks = element("div", { class: "sb-remarks" });
    this.side = element("div", { class: "sb-side" });
    const place = element("div", { class: "sb-graph" });
    this.body = element("div", { class: "sb-body" }, place, this.side);
    this.graph = new Graph(place, (name) => this.choose(name));
    root.append(this.head, this.said, this.remarks, this.body);
    root.addEventListener("keydown", (event) => this.escaped(event));
  }

  /** @returns {Stage[]} */
  get stages() {
    return this.model.get("stages");
  }

  get busy() {
    return this.kernel !== "there" || this.model.get("now").running;
  }

  draw() {
    this.graph.draw(this.model.get("picture"), this.stages);
    this.graph.mark(this.chosen);
  }

  showStages() {
    this.graph.show(this.stages);
    this.showPane();
  }

  showPane() {
    const stage = this.stages.find((one) => one.name === this.chosen);
    if (this.pane && stage) showStanding(this.pane, stage, this.busy);
  }

  showHead() {
    const now = this.model.get("now");
    const held = focusedKey(this.head);
    const given = now.given ? element("span", { class: "sb-given" }, `with ${now.given}`) : null;
    const title = element("div", { class: "sb-title" }, element("strong", {}, this.model.get("title")), given);
    const counts = now.summary.map((/** @type {[string, string]} */ [state, text]) => stateMark(state, text));
    this.head.replaceChildren(title, element("div", { class: "sb-counts" }, ...counts), this.mainButton(now));
    refocus(this.head, held);
    if (this.said.textContent !== now.said) this.said.textContent = now.said;
    this.showRemarks(now);
    this.showPane();
  }

  /** @param {{running: boolean, all: string}} now */
  mainButton(now) {
    const made = now.running
      ? button("Cancel the run", () => this.model.send({ do: "cancel" }), { "data-key": "main" })
      : button(now.all || "All is fresh", () => this.run("all", ""), { class: "sb-button sb-main", "data-key": "main" });
    made.disabled = this.kernel !== "there" || (!now.running && !now.all);
    return made;
  }

  /** @param {{stale: boolean, trouble: string}} now */
  showRemarks(now) {
    const refresh = () => button("Refresh", () => this.model.send({ do: "refresh" }), { "data-key": "refresh" });
    this.remarks.replaceChildren(
      ...(now.trouble ? [element("pre", { class: "sb-trouble", role: "alert" }, now.trouble)] : []),
      ...(now.stale ? [element("p", { class: "sb-remark" }, "The notebook was saved since this was drawn. ", refresh())] : []),
      ...(this.kernel === "silent" ? [element("p", { class: "sb-remark" }, SILENT)] : []),
    );
  }

  /** @param {boolean} answers */
  found(answers) {
    this.kernel = answers ? "there" : "silent";
    this.showHead();
  }

  /**
   * Open a stage's pane, or close it if it is open.
   * @param {string} name
   */
  choose(name) {
    if (name === this.chosen) return this.close();
    this.chosen = name;
    this.graph.mark(name);
    this.openPane();
    this.side.scrollTop = 0;
    this.model.send({ do: "look" });
  }

  close() {
    const name = this.chosen;
    this.chosen = "";
    this.graph.mark("");
    this.openPane();
    this.graph.focus(name);
  }

  /** Draw the pane of the chosen stage anew. */
  openPane() {
    const detail = this.model.get("details")[this.chosen];
    const held = focusedKey(this.side);
    const name = this.chosen;
    this.body.classList.toggle("sb-open", Boolean(detail));
    this.pane = !detail
      ? null
      : paneOf(detail, this.model.get("now").loads, {
          run: (how) => this.run(how, name),
          load: () => this.model.send({ do: "load", stage: name }),
          close: () => this.close(),
          open: (section) => this.model.send({ do: section, stage: name }),
        });
    this.side.replaceChildren(...(this.pane ? [this.pane] : []));
    this.showPane();
    refocus(this.side, held);
  }

  /**
   * @param {string} how all, this, from
   * @param {string} stage
   */
  run(how, stage) {
    this.model.send({ do: "run", how, stage });
  }

  /** @param {{about: string, stage: string, trouble: string, found: any[]}} told */
  fillPane(told) {
    if (!this.pane || told.stage !== this.chosen) return;
    fill(this.pane, told.about, told.about === "values" ? valuesOf(told) : figuresOf(told, told.stage));
  }

  /** @param {KeyboardEvent} event */
  escaped(event) {
    if (event.key !== "Escape" || !this.chosen) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }
}

const SILENT = "The kernel is busy, or there is none: buttons work once it answers. Run the cell again to start anew.";

/**
 * What has the focus among these, by its key.
 * @param {HTMLElement} place
 */
function focusedKey(place) {
  const root = /** @type {Document | ShadowRoot} */ (place.getRootNode());
  const active = "activeElement" in root ? root.activeElement : null;
  return active && place.contains(active) ? active.getAttribute("data-key") : null;
}

/**
 * @param {HTMLElement} place
 * @param {string | null} key
 */
function refocus(place, key) {
  if (key) /** @type {HTMLElement | null} */ (place.querySelector(`[data-key="${key}"]`))?.focus();
}

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const view = new View(model, rootIn(el, "sb-pipeline"));
  const stop = [
    hideStill(el),
    follow(model, {
      picture: () => view.draw(),
      stages: () => view.showStages(),
      details: () => view.openPane(),
      now: () => view.showHead(),
    }),
    converse(
      model,
      { values: (told) => view.fillPane(told), figures: (told) => view.fillPane(told) },
      (answers) => view.found(answers),
    ),
  ];
  const ticking = setInterval(() => view.graph.tick(), 1000);
  return () => {
    clearInterval(ticking);
    for (const one of stop) one();
  };
}

export default { render };
