// @ts-check
import { element } from "./dom.js";

/**
 * How a stage stands, in words.
 * @typedef {{name: string, state: string, below: string, said: string, reason: string, elapsed?: number}} Stage
 */

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** The picture of the stages: each is a button; one of them can be reached with Tab, from there on with arrows. */
export class Graph {
  /**
   * @param {HTMLElement} place
   * @param {(stage: string) => void} choose
   */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    /** @type {Stage[]} */
    this.stages = [];
    this.since = performance.now();
    place.addEventListener("click", (event) => this.clicked(event));
    place.addEventListener("keydown", (event) => this.pressed(event));
  }

  /**
   * Draw the picture; a list where there is none, as there are too many stages for one.
   * @param {string} svg
   * @param {Stage[]} stages
   */
  draw(svg, stages) {
    this.place.replaceChildren(svg ? fromSvg(svg) : listOf(stages));
    this.show(stages);
    this.reachable(this.names().find((name) => this.button(name)) ?? "");
  }

  /** @param {Stage[]} stages */
  show(stages) {
    this.stages = stages;
    this.since = performance.now();
    for (const stage of stages) {
      const at = this.button(stage.name);
      if (!at) continue;
      at.setAttribute("data-state", stage.state);
      at.setAttribute("aria-label", stage.said);
    }
    this.tick();
  }

  /** Write the line below each name; where a stage runs, the seconds count on. */
  tick() {
    const passed = (performance.now() - this.since) / 1000;
    for (const stage of this.stages) {
      const line = this.button(stage.name)?.querySelector(".small");
      const text = stage.elapsed === undefined ? stage.below : `${stage.below} · ${Math.floor(stage.elapsed + passed)} s`;
      if (line && line.textContent !== text) line.textContent = text;
    }
  }

  /**
   * Mark the stage whose pane is open.
   * @param {string} name empty where none is
   */
  mark(name) {
    for (const at of this.place.querySelectorAll(".stage")) {
      at.setAttribute("aria-expanded", String(at.getAttribute("data-stage") === name));
    }
    if (name) this.reachable(name);
  }

  /** @param {string} name */
  focus(name) {
    const at = this.button(name);
    if (!at) return;
    this.reachable(name);
    at.focus();
  }

  names() {
    return this.stages.map((stage) => stage.name);
  }

  /**
   * @param {string} name
   * @returns {SVGElement | HTMLElement | null}
   */
  button(name) {
    return this.place.querySelector(`.stage[data-stage="${CSS.escape(name)}"]`);
  }

  /** @param {string} name */
  reachable(name) {
    for (const at of this.place.querySelectorAll(".stage")) {
      at.setAttribute("tabindex", at.getAttribute("data-stage") === name ? "0" : "-1");
    }
  }

  /** @param {Event} event */
  clicked(event) {
    const name = stageAt(event);
    if (name) {
      this.focus(name);
      this.choose(name);
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const name = stageAt(event);
    if (!name || event.altKey || event.ctrlKey || event.metaKey) return;
    const names = this.names();
    const steps = /** @type {Record<string, number>} */ (STEPS);
    if (event.key === "Enter" || event.key === " ") this.choose(name);
    else if (event.key in steps) this.focus(names[names.indexOf(name) + steps[event.key]] ?? name);
    else if (event.key === "Home") this.focus(names[0]);
    else if (event.key === "End") this.focus(names[names.length - 1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * The name of the stage that an event is at.
 * @param {Event} event
 */
function stageAt(event) {
  return event.target instanceof Element ? event.target.closest(".stage")?.getAttribute("data-stage") : null;
}

/** @param {string} svg made by Stagebook itself */
function fromSvg(svg) {
  return document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
}

/** @param {Stage[]} stages */
function listOf(stages) {
  const item = (/** @type {Stage} */ stage) =>
    element(
      "button",
      { type: "button", class: "stage", "data-stage": stage.name },
      element("span", { class: "name" }, stage.name),
      element("span", { class: "small" }),
    );
  return element("div", { class: "sb-list" }, ...stages.map(item));
}
