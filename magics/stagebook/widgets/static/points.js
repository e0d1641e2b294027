// @ts-check
import { button, element, rootIn, stateMark } from "./dom.js";
import { converse, follow } from "./kernel.js";

/** @typedef {import("./kernel.js").Model} Model */
/** @typedef {{texts: string[], state: string, best: boolean}} Row */

/** A sweep under way: how many of its points are over, each in a row, the picture at the end. */
class Points {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.there = false;
    this.root = root;
    this.said = element("strong", { role: "status", "aria-live": "polite" });
    this.cancel = button("Cancel the sweep", () => this.model.send({ do: "cancel" }));
    this.bar = element("progress", { class: "sb-progress", "aria-label": "Points that are over" });
    this.remarks = element("div", { class: "sb-remarks" });
    this.place = element("div", { class: "sb-scrolled sb-rows" });
    this.picture = element("div", { class: "sb-picture" });
    root.append(element("header", { class: "sb-head" }, this.said, this.cancel), this.bar, this.remarks, this.place, this.picture);
  }

  showNow() {
    const now = this.model.get("now");
    this.root.hidden = !now.said;
    if (this.said.textContent !== now.said) this.said.textContent = now.said ?? "";
    this.bar.setAttribute("max", String(now.planned || 1));
    this.bar.setAttribute("value", String(now.over ?? 0));
    this.bar.hidden = !now.running;
    this.cancel.hidden = !now.running;
    this.cancel.disabled = !this.there;
    this.remarks.replaceChildren(...(now.trouble ? [element("pre", { class: "sb-trouble", role: "alert" }, now.trouble)] : []));
  }

  showRows() {
    const heads = /** @type {{text: string, number: boolean}[]} */ (this.model.get("heads"));
    const rows = /** @type {Row[]} */ (this.model.get("rows"));
    const align = (/** @type {number} */ at) => ({ class: heads[at].number ? "sb-number" : "" });
    const head = element("tr", {}, ...heads.map((one, at) => element("th", { scope: "col", ...align(at) }, one.text)));
    const body = rows.map((row) =>
      element(
        "tr",
        { class: row.best ? "sb-best" : "" },
        ...row.texts.map((text, at) => element("td", align(at), heads[at].text === "state" ? stateMark(row.state, text) : text)),
      ),
    );
    const made = element("table", { class: "sb-table" }, element("thead", {}, head), element("tbody", {}, ...body));
    this.place.replaceChildren(...(rows.length ? [made] : []));
  }

  /** As an image: what is in it stays apart from the page. */
  showPicture() {
    const { svg, said } = this.model.get("picture");
    const source = `data:image/svg+xml,${encodeURIComponent(svg ?? "")}`;
    this.picture.replaceChildren(...(svg ? [element("img", { src: source, alt: said })] : []));
  }

  /** @param {boolean} answers */
  found(answers) {
    this.there = answers;
    this.showNow();
  }
}

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const points = new Points(model, rootIn(el, "sb-points"));
  const stop = [
    follow(model, { now: () => points.showNow(), rows: () => points.showRows(), picture: () => points.showPicture() }),
    converse(model, {}, (answers) => points.found(answers)),
  ];
  return () => {
    for (const one of stop) one();
  };
}

export default { render };
