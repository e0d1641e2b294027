/** The parts that the panel shares with the widgets in the notebook: one look, and one way to use the graph. */

declare module '*/widgets/static/dom.js' {
  export function element(
    tag: string,
    attributes?: Record<string, string>,
    ...children: (Node | string | null)[]
  ): HTMLElement;
  export function button(
    text: string,
    press: () => void,
    attributes?: Record<string, string>
  ): HTMLButtonElement;
  export function table(
    heads: readonly string[],
    rows: readonly (readonly string[])[],
    named?: boolean
  ): HTMLElement;
  export function stateMark(state: string, text?: string): HTMLElement;
}

declare module '*/widgets/static/graph.js' {
  export interface Stage {
    readonly name: string;
    readonly state: string;
    readonly below: string;
    readonly said: string;
    readonly reason: string;
    readonly elapsed?: number;
  }
  export class Graph {
    constructor(place: HTMLElement, choose: (stage: string) => void);
    draw(svg: string, stages: readonly Stage[]): void;
    show(stages: readonly Stage[]): void;
    tick(): void;
    mark(name: string): void;
    focus(name: string): void;
  }
}
