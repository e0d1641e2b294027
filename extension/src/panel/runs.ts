import type { RunAnswer, RunsAnswer, Section } from '../answers';
import { button, element, stateMark, table } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { type Column, type Sorting, columnsOf, matching, sorted, valueAt } from '../runtable';
import { seconds, stateWord } from '../standing';
import { numberText } from './pane';
import { Drawn, Folded, type Part, type Tools } from './part';

const SHORT = { dateStyle: 'short', timeStyle: 'medium' } as const;

/** The runs that there have been: filtered, sorted, compared, opened. */
export class Runs implements Part {
  constructor(private readonly _tools: Tools) {
    const { trans } = _tools;
    this._section = new Folded('runs', trans.__('Runs'));
    this.node = this._section.node;
    const label = trans.__('Filter the runs');
    const asked = {
      type: 'search',
      placeholder: label,
      'aria-label': label,
      class: 'stagebook-Filter'
    };
    this._filter = element('input', asked) as HTMLInputElement;
    this._filter.addEventListener('input', () => {
      this.show(this._model);
    });
    this._section.body.append(
      element('div', { class: 'sb-buttons' }, this._filter, this._buttons),
      this._said,
      this._rows,
      this._below
    );
    this._drawn = new Drawn(this._rows);
    this._drawnButtons = new Drawn(this._buttons);
    this._section.onOpen(() => void this._model?.loadRuns());
  }

  readonly node: HTMLElement;

  /** Show the runs, even if they are folded away. */
  open(): void {
    this._section.isOpen = true;
    this.node.scrollIntoView({ block: 'nearest' });
  }

  show(model: PipelineModel | null): void {
    if (model !== this._model) {
      this._model = model;
      this._chosen.clear();
      this._below.replaceChildren();
      if (this._section.isOpen) {
        void model?.loadRuns();
      }
    }
    this.node.hidden = model?.hasRoles !== true;
    const runs = model?.runs ?? null;
    this._section.count = runs === null ? '' : String(runs.runs.length);
    this._showButtons();
    const key = [model?.path, runs, this._filter.value, this._sorting, [...this._chosen]];
    this._drawn.draw(key, () =>
      runs === null || model === null ? [] : [this._table(model, runs)]
    );
  }

  private _showButtons(): void {
    const { trans } = this._tools;
    const count = this._chosen.size;
    const mlflow = this._model?.runs?.mlflow ?? null;
    this._drawnButtons.draw([count, mlflow], () => {
      const compare = button(
        count < 2 ? trans.__('Choose runs to compare') : trans.__('Compare %1 runs', count),
        () => void this._compare(),
        { 'data-key': 'compare', ...(count > 1 && { class: 'sb-button sb-main' }) }
      );
      compare.disabled = count < 2;
      return [compare, this._mlflow(mlflow)];
    });
  }

  private _mlflow(mlflow: RunsAnswer['mlflow'] | null): HTMLElement | null {
    const { trans } = this._tools;
    const { url = null, command = null } = mlflow ?? {};
    if (url !== null) {
      const where = {
        href: url,
        target: '_blank',
        rel: 'noreferrer',
        class: 'sb-button stagebook-ButtonLink'
      };
      return element('a', where, trans.__('Open MLflow'));
    }
    if (command === null) {
      return null;
    }
    return element(
      'details',
      { class: 'stagebook-Mlflow' },
      element('summary', {}, trans.__('Open MLflow')),
      element('p', { class: 'sb-quiet' }, trans.__('Its page is shown by:')),
      element('pre', { class: 'sb-code', tabindex: '0' }, command)
    );
  }

  private _table(model: PipelineModel, runs: RunsAnswer): HTMLElement {
    const { trans } = this._tools;
    const columns = columnsOf(runs);
    const found = sorted(matching(runs.runs, this._filter.value), columns, this._sorting);
    if (found.length === 0) {
      const none = runs.runs.length === 0;
      const text = none
        ? trans.__('Run the pipeline, and its runs are listed here.')
        : trans.__('No run matches.');
      return element('p', { class: 'sb-quiet' }, text);
    }
    const choose = element(
      'th',
      { scope: 'col' },
      element('span', { class: 'sb-hidden' }, trans.__('compare'))
    );
    const open = element(
      'th',
      { scope: 'col' },
      element('span', { class: 'sb-hidden' }, trans.__('open'))
    );
    const heads = columns.map((column, at) => this._headOf(column, at));
    const rows = found.map(run => this._row(model, run, columns));
    const made = element(
      'table',
      { class: 'sb-table' },
      element('thead', {}, element('tr', {}, choose, ...heads, open)),
      element('tbody', {}, ...rows)
    );
    const region = { role: 'region', tabindex: '0', 'aria-label': trans.__('Runs') };
    return element('div', { class: 'sb-scrolled sb-rows', ...region }, made);
  }

  private _headOf(column: Column, at: number): HTMLElement {
    const { trans } = this._tools;
    const words: Readonly<Record<string, string>> = {
      started: trans.__('started'),
      state: trans.__('state'),
      took: trans.__('took'),
      ran: trans.__('ran')
    };
    const isOwn = column.kind !== 'metric' && column.kind !== 'parameter';
    const name = isOwn ? (words[column.name] ?? column.name) : column.name;
    const { column: by, descending } = this._sorting;
    const order = at !== by ? 'none' : descending ? 'descending' : 'ascending';
    const mark = { none: '', ascending: ' ↑', descending: ' ↓' }[order];
    const press = button(
      name,
      () => {
        this._sorting = {
          column: at,
          descending: at === by ? !descending : column.isNumber || at === 0
        };
        this._said.textContent = this._sorting.descending
          ? trans.__('Sorted by %1, descending.', name)
          : trans.__('Sorted by %1, ascending.', name);
        this.show(this._model);
      },
      { class: 'sb-sort', 'data-key': `sort-${at}` }
    );
    press.append(element('span', { class: 'sb-arrow', 'aria-hidden': 'true' }, mark));
    return element('th', { scope: 'col', 'aria-sort': order, ...numberClass(column) }, press);
  }

  private _row(model: PipelineModel, run: RunAnswer, columns: readonly Column[]): HTMLElement {
    const { trans } = this._tools;
    const label = {
      'aria-label': trans.__('Compare run %1', run.id),
      'data-key': `choose-${run.id}`
    };
    const box = element('input', { type: 'checkbox', ...label }) as HTMLInputElement;
    box.checked = this._chosen.has(run.id);
    box.addEventListener('change', () => {
      if (box.checked) {
        this._chosen.add(run.id);
      } else {
        this._chosen.delete(run.id);
      }
      this.show(this._model);
    });
    const cells = columns.map(column =>
      element('td', numberClass(column), this._cell(run, column))
    );
    const shown = { class: box.checked ? 'sb-chosen' : '' };
    return element(
      'tr',
      shown,
      element('td', {}, box),
      ...cells,
      element('td', {}, this._open(model, run))
    );
  }

  private _cell(run: RunAnswer, column: Column): Node | string {
    const { trans } = this._tools;
    const value = valueAt(run, column);
    if (value === null) {
      return '';
    }
    switch (column.kind) {
      case 'started':
        return new Date(run.started).toLocaleString(undefined, SHORT);
      case 'state':
        return stateMark(run.state, stateWord(run.state, trans));
      case 'took':
        return seconds(run.duration, trans);
      case 'ran':
        return trans.__('%1 of %2', run.ran, run.stages.length);
      case 'metric':
        return numberText(Number(value));
      case 'parameter':
        return String(value);
    }
  }

  /** A link to the run's output notebook, as a page. */
  private _open(model: PipelineModel, run: RunAnswer): HTMLElement | null {
    const { trans } = this._tools;
    if (run.page === null) {
      return null;
    }
    const href = model.api.address(run.page, model.path);
    const label = trans.__('Open the output notebook of run %1', run.id);
    const where = {
      href,
      target: '_blank',
      rel: 'noreferrer',
      class: 'stagebook-Link',
      'aria-label': label
    };
    return element('a', where, trans.__('output'));
  }

  private async _compare(): Promise<void> {
    const { actions } = this._tools;
    const model = this._model;
    const runs = model?.runs?.runs.filter(run => this._chosen.has(run.id)).map(run => run.id) ?? [];
    if (model === null || runs.length < 2) {
      return;
    }
    // The older one is what the newer is compared with.
    const sections = await actions.tried(() => model.api.compare(model.path, runs.reverse()));
    this._below.replaceChildren(...(sections ?? []).map(sectionOf));
    this._below.scrollIntoView({ block: 'nearest' });
  }

  private _model: PipelineModel | null = null;
  private _sorting: Sorting = { column: 0, descending: true };
  private readonly _chosen = new Set<string>();
  private readonly _filter: HTMLInputElement;
  private readonly _buttons = element('div', { class: 'sb-buttons' });
  private readonly _said = element('p', {
    class: 'sb-hidden',
    role: 'status',
    'aria-live': 'polite'
  });
  private readonly _rows = element('div', {});
  private readonly _below = element('div', { class: 'sb-beside' });
  private readonly _section: Folded;
  private readonly _drawn: Drawn;
  private readonly _drawnButtons: Drawn;
}

function sectionOf(section: Section): HTMLElement {
  const region = { role: 'region', tabindex: '0', 'aria-label': section.title };
  return element(
    'section',
    {},
    section.title === '' ? null : element('h4', {}, section.title),
    section.rows.length === 0
      ? null
      : element(
          'div',
          { class: 'sb-scrolled', ...region },
          table(section.heads, section.rows, true)
        ),
    ...section.below.map(text => element('p', { class: 'sb-quiet' }, text))
  );
}

function numberClass(column: Column): Record<string, string> {
  return column.isNumber ? { class: 'sb-number' } : {};
}
