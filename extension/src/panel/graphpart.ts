import { Graph } from '../../../magics/stagebook/widgets/static/graph.js';
import { button, element } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { shownStages } from '../standing';
import type { Part, Tools } from './part';

/** Below this width nothing can be read in a picture. */
const NARROW = 220;
const STEP = 1.25;
const LEAST = 0.2;
const MOST = 4;

/** The graph: as a picture or as a list; each stage is a button. */
export class GraphPart implements Part {
  constructor(
    private readonly _tools: Tools,
    choose: (stage: string) => void
  ) {
    const { trans } = _tools;
    const tool = (text: string, label: string, press: () => void) =>
      button(text, press, { class: 'sb-button stagebook-Tool', 'aria-label': label, title: label });
    this._list = tool('☰', trans.__('Show as a list'), () => {
      this._asked = this._isList ? 'picture' : 'list';
      this._draw();
    });
    this._zooms = [
      tool('−', trans.__('Zoom out'), () => {
        this._zoomBy(1 / STEP);
      }),
      tool('+', trans.__('Zoom in'), () => {
        this._zoomBy(STEP);
      }),
      tool('⤢', trans.__('Fit the graph to the panel'), () => {
        this._zoom = null;
        this._applyZoom();
      })
    ];
    const label = { role: 'toolbar', 'aria-label': trans.__('How the graph is shown') };
    this._bar = element('div', { class: 'stagebook-Tools', ...label }, ...this._zooms, this._list);
    this.node = element('div', { class: 'stagebook-Graph' }, this._bar, this._place);
    this._graph = new Graph(this._place, choose);
    this._place.addEventListener('wheel', event => {
      if (event.ctrlKey) {
        event.preventDefault();
        this._zoomBy(event.deltaY < 0 ? STEP : 1 / STEP);
      }
    });
    this._observer = new ResizeObserver(() => {
      if (this._asked === null && this._isList !== this._drawnAsList) {
        this._draw();
      }
    });
    this._observer.observe(this.node);
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    const analysis = model?.analysis ?? null;
    const { trans } = this._tools;
    this._stages =
      model === null || analysis === null
        ? []
        : shownStages(analysis, model.run, performance.now(), trans);
    this.node.hidden = this._stages.length === 0;
    const key = JSON.stringify([analysis?.picture ?? '', this._stages.map(stage => stage.name)]);
    if (key === this._key) {
      this._graph.show(this._stages);
    } else {
      this._key = key;
      this._picture = analysis?.picture ?? '';
      this._draw();
    }
  }

  /** Count the seconds on where a stage runs. */
  tick(): void {
    this._graph.tick();
  }

  mark(stage: string): void {
    this._marked = stage;
    this._graph.mark(stage);
  }

  /** Move the focus to a stage; to the first, if none is named. */
  focus(stage = this._marked || (this._stages[0]?.name ?? '')): void {
    this._graph.focus(stage);
  }

  dispose(): void {
    this._observer.disconnect();
  }

  private get _isList(): boolean {
    const width = this.node.clientWidth;
    return (
      this._picture === '' ||
      (this._asked ?? (width > 0 && width < NARROW ? 'list' : 'picture')) === 'list'
    );
  }

  private _draw(): void {
    const { trans } = this._tools;
    const held = this._place.contains(document.activeElement)
      ? (document.activeElement?.getAttribute('data-stage') ?? null)
      : null;
    this._drawnAsList = this._isList;
    this._graph.draw(this._drawnAsList ? '' : this._picture, this._stages);
    this._graph.mark(this._marked);
    if (held !== null) {
      this._graph.focus(held);
    }
    for (const zoom of this._zooms) {
      zoom.hidden = this._drawnAsList;
    }
    const label = this._drawnAsList ? trans.__('Show as a picture') : trans.__('Show as a list');
    this._list.hidden = this._picture === '';
    this._list.setAttribute('aria-label', label);
    this._list.title = label;
    this._applyZoom();
  }

  private _zoomBy(factor: number): void {
    const svg = this._place.querySelector('svg');
    if (svg !== null) {
      const now = this._zoom ?? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      this._zoom = Math.min(MOST, Math.max(LEAST, now * factor));
      this._applyZoom();
    }
  }

  private _applyZoom(): void {
    const svg = this._place.querySelector('svg');
    if (svg !== null) {
      svg.style.maxWidth = this._zoom === null ? '' : 'none';
      svg.style.width = this._zoom === null ? '' : `${svg.viewBox.baseVal.width * this._zoom}px`;
    }
  }

  private _stages: ReturnType<typeof shownStages> = [];
  private _picture = '';
  private _key = '';
  private _marked = '';
  private _zoom: number | null = null;
  private _asked: 'list' | 'picture' | null = null;
  private _drawnAsList = false;
  private readonly _place = element('div', { class: 'sb-graph' });
  private readonly _bar: HTMLElement;
  private readonly _list: HTMLButtonElement;
  private readonly _zooms: readonly HTMLButtonElement[];
  private readonly _graph: Graph;
  private readonly _observer: ResizeObserver;
}
