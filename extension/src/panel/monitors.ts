import type { MonitorAnswer, ReportedWindow } from '../answers';
import { element, table } from '../dom';
import { type Bar, barsOf, countOf, retrainedWord, verdictOf } from '../monitoring';
import type { PipelineModel } from '../pipelinemodel';
import { Drawn, Folded, type Part, type Tools } from './part';

const SVG = 'http://www.w3.org/2000/svg';

/** What monitors have said of the notebook's models: a picture of the shares of drifted columns, and a table. */
export class Monitors implements Part {
  constructor(private readonly _tools: Tools) {
    const { trans } = _tools;
    this._section = new Folded('monitors', trans.__('Monitors'));
    this.node = this._section.node;
    this._drawn = new Drawn(this._section.body);
    this._section.onOpen(() => void this._load());
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    if (model !== this._model) {
      this._model = model;
      this._found = null;
      this._trouble = '';
      if (this._section.isOpen) {
        void this._load();
      }
    }
    this.node.hidden = model?.hasRoles !== true;
    this._draw();
  }

  private async _load(): Promise<void> {
    const model = this._model;
    if (model === null) {
      return;
    }
    let found: readonly MonitorAnswer[] | null = null;
    let trouble = '';
    try {
      found = await model.api.monitors(model.path);
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    if (model === this._model) {
      [this._found, this._trouble] = [found, trouble];
      this._draw();
    }
  }

  private _draw(): void {
    const { trans } = this._tools;
    const found = this._found;
    this._section.count = found === null ? '' : countOf(found, trans);
    this._drawn.draw([this._model?.path, found, this._trouble], () => {
      if (found === null) {
        return this._trouble === '' ? [] : [element('p', { role: 'alert' }, this._trouble)];
      }
      if (found.length === 0) {
        const none = trans.__(
          'No model is watched yet: `stagebook monitor models:/NAME@champion`.'
        );
        return [element('p', { class: 'sb-quiet' }, none)];
      }
      return found.map(one => this._monitor(one));
    });
  }

  private _monitor({ model, windows, trouble }: MonitorAnswer): HTMLElement {
    const { trans } = this._tools;
    const bars = barsOf(windows, trans);
    return element(
      'article',
      { class: 'stagebook-Monitor', 'aria-label': model },
      element('strong', {}, model),
      trouble === '' ? null : element('p', { role: 'alert' }, trouble),
      bars.length === 0 ? null : this._picture(model, bars),
      windows.length === 0 ? null : this._table(windows)
    );
  }

  private _picture(model: string, bars: readonly Bar[]): HTMLElement {
    const { trans } = this._tools;
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 100 108');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', trans.__('Share of drifted columns of %1, over time', model));
    svg.append(...bars.map(bar => barNode(bar, retrainedWord(bar.retrained, trans))));
    const place = element('div', { class: 'stagebook-MonitorChart' });
    place.append(svg);
    return place;
  }

  private _table(windows: readonly ReportedWindow[]): HTMLElement {
    const { trans } = this._tools;
    const heads = [trans.__('Window'), trans.__('Version'), trans.__('Rows'), trans.__('Verdict')];
    const rows = [...windows].reverse().map(one => {
      const said = [verdictOf(one, trans), retrainedWord(one.retrained, trans)];
      return [
        one.window,
        one.version,
        String(one.rows),
        said.filter(text => text !== '').join('; ')
      ];
    });
    const scrolled = element('div', { class: 'sb-beside', tabindex: '0', role: 'region' });
    scrolled.setAttribute('aria-label', trans.__('Windows'));
    scrolled.append(table(heads, rows, false));
    return scrolled;
  }

  private readonly _section: Folded;
  private readonly _drawn: Drawn;
  private _model: PipelineModel | null = null;
  private _found: readonly MonitorAnswer[] | null = null;
  private _trouble = '';
}

/** A bar, with a mark above it where the model was trained anew. */
function barNode(bar: Bar, retrained: string): SVGElement {
  const group = document.createElementNS(SVG, 'g');
  const title = document.createElementNS(SVG, 'title');
  title.textContent = retrained === '' ? bar.said : `${bar.said}; ${retrained}`;
  group.append(
    title,
    rectangle(bar, 108 - bar.height, bar.height, bar.hasDrifted ? 'drift' : 'none')
  );
  if (retrained !== '') {
    group.append(rectangle(bar, 0, 5, bar.retrained === 'promoted' ? 'promoted' : 'retrained'));
  }
  return group;
}

function rectangle(bar: Bar, y: number, height: number, kind: string): SVGElement {
  const made = document.createElementNS(SVG, 'rect');
  const places = { x: bar.x, width: bar.width, y, height };
  for (const [name, value] of Object.entries(places)) {
    made.setAttribute(name, value.toFixed(2));
  }
  made.setAttribute('data-kind', kind);
  return made;
}
