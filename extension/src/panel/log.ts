import type { CellLog } from '../answers';
import { element } from '../dom';
import { logLine } from '../logwords';
import { cellKey } from '../printed';
import type { RunNow } from '../runnow';
import type { PipelineModel } from '../pipelinemodel';
import { Folded, type Part, type Tools } from './part';

/** How often what cells have put out is asked for while a run goes on, in milliseconds. */
const OFTEN = 1000;

/** What happens in the run, as it happens, and what its cells put out. */
export class Log implements Part {
  constructor(private readonly _tools: Tools) {
    this._section = new Folded('log', _tools.trans.__('Log'));
    this.node = this._section.node;
    const label = { role: 'log', 'aria-label': _tools.trans.__('Log of the run'), tabindex: '0' };
    this._lines = element('div', { class: 'stagebook-Log', ...label });
    this._section.body.append(this._lines);
    this._section.onOpen(() => {
      this._ask();
    });
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    const run = model?.run ?? null;
    this.node.hidden = run === null || run.log.length === 0;
    if (model !== this._model || run === null || run.log[0] !== this._first) {
      this._lines.replaceChildren();
      this._outputs.clear();
      this._live.clear();
      this._asked = '';
      this._shown = 0;
      this._model = model;
      this._first = run?.log[0];
    }
    if (run === null || run.log.length < this._shown) {
      return;
    }
    const atEnd = this._lines.scrollTop + this._lines.clientHeight >= this._lines.scrollHeight - 4;
    for (const event of run.log.slice(this._shown)) {
      const line = logLine(event, this._tools.trans);
      if (line !== null) {
        const made = element(
          'div',
          line.failed ? { class: 'stagebook-Log-failed' } : {},
          line.text
        );
        this._lines.append(made);
        if (line.cell !== null) {
          const key = cellKey(...line.cell);
          this._outputs.set(key, made);
          this._isOver(key, made);
        }
      }
    }
    this._showPrinted(run);
    if (run.log.length > this._shown) {
      this._shown = run.log.length;
      this._ask();
    }
    if (atEnd) {
      this._lines.scrollTop = this._lines.scrollHeight;
    }
  }

  /** What the cells that run have printed so far, each below a line of its own. */
  private _showPrinted(run: RunNow): void {
    for (const [key, text] of run.printed) {
      let line = this._live.get(key);
      if (line === undefined) {
        const [stage = '', number = ''] = key.split(' ');
        const words = this._tools.trans.__('%1 · cell %2 …', stage, number);
        line = element('div', {}, words);
        this._live.set(key, line);
        this._lines.append(line, element('pre', { class: 'stagebook-Log-output' }));
      }
      line.nextElementSibling?.replaceChildren(text.trimEnd());
    }
  }

  /** A cell's outputs are on their way; until they come, what it has printed stands below its last line. */
  private _isOver(key: string, line: Element): void {
    const live = this._live.get(key);
    const printed = live?.nextElementSibling;
    if (live !== undefined && printed) {
      line.insertAdjacentElement('afterend', printed);
      live.remove();
      this._live.delete(key);
    }
  }

  /** Ask for what the cells have put out: soon, and not too often. */
  private _ask(): void {
    const model = this._model;
    if (
      !this._section.isOpen ||
      this._timer !== undefined ||
      model === null ||
      model.run.id === ''
    ) {
      return;
    }
    const key = `${model.run.id} ${model.run.log.length}`;
    if (key === this._asked) {
      return;
    }
    this._timer = setTimeout(() => {
      this._timer = undefined;
      this._asked = `${model.run.id} ${model.run.log.length}`;
      if (model === this._model && !model.isDisposed) {
        void this._put(model);
      }
    }, OFTEN);
  }

  private async _put(model: PipelineModel): Promise<void> {
    try {
      const { log } = await model.api.run(model.path, model.run.id);
      if (model === this._model) {
        log.forEach(cell => {
          this._putOne(cell);
        });
      }
    } catch {
      // A run that has just begun has nothing to show yet; the next event asks again.
      this._asked = '';
    }
  }

  private _putOne({ stage, cell, text }: CellLog): void {
    const line = this._outputs.get(cellKey(stage, cell.number));
    const content = text.trimEnd();
    if (line === undefined || content === '') {
      return;
    }
    const after = line.nextElementSibling;
    const place = after?.classList.contains('stagebook-Log-output') === true ? after : null;
    if (place?.textContent !== content) {
      (
        place ??
        line.insertAdjacentElement('afterend', element('pre', { class: 'stagebook-Log-output' }))
      )?.replaceChildren(content);
    }
  }

  private _model: PipelineModel | null = null;
  private _first: unknown;
  private _shown = 0;
  private _asked = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _outputs = new Map<string, HTMLElement>();
  private readonly _live = new Map<string, HTMLElement>();
  private readonly _lines: HTMLElement;
  private readonly _section: Folded;
}
