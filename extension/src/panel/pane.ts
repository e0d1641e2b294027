import type { FailureAnswer, StageAnswer } from '../answers';
import { button, element, stateMark, table } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { shownStages, stateWord } from '../standing';
import { Drawn, type Part, type Tools } from './part';
import { figuresOf, valuesOf } from './values';

/** What there is to say of the stage that is looked at. */
export class Pane implements Part {
  constructor(
    private readonly _tools: Tools,
    private readonly _close: () => void
  ) {
    this._drawn = new Drawn(this.node);
  }

  readonly node = element('div', { class: 'stagebook-Pane' });

  /** The stage that is looked at; empty for none. */
  stage = '';

  show(model: PipelineModel | null): void {
    const { trans } = this._tools;
    const analysis = model?.analysis ?? null;
    const stage = analysis?.stages.find(one => one.name === this.stage);
    if (model === null || analysis === null || stage === undefined) {
      this._drawn.draw(null, () => []);
      return;
    }
    const shown = shownStages({ ...analysis, stages: [stage] }, model.run, 0, trans)[0];
    const state = shown?.state ?? stage.state;
    const failure = state === 'failed' ? (model.failures.get(stage.name) ?? null) : null;
    const reason = shown?.reason ?? '';
    this._drawn.draw([model.path, stage, state, reason, model.isRunning, failure], () => [
      this._pane(model, stage, { state, reason, failure })
    ]);
  }

  private _pane(
    model: PipelineModel,
    stage: StageAnswer,
    { state, reason, failure }: { state: string; reason: string; failure: FailureAnswer | null }
  ): HTMLElement {
    const { trans } = this._tools;
    const close = button('×', this._close, {
      class: 'sb-button sb-close',
      'aria-label': trans.__('Close stage %1', stage.name),
      'data-key': 'close'
    });
    const metrics = Object.entries(stage.metrics).map(([name, value]) => [name, numberText(value)]);
    const failed = state === 'failed' ? ' sb-failed' : '';
    return element(
      'section',
      { class: 'sb-pane', 'aria-label': trans.__('Stage %1', stage.name) },
      element(
        'header',
        {},
        element('h3', {}, stage.name),
        state === '' ? null : stateMark(state, stateWord(state, trans)),
        close
      ),
      failure === null && reason !== ''
        ? element('p', { class: `sb-reason${failed}` }, reason)
        : null,
      failure === null ? null : this._failure(model, failure),
      stage.changes.length > 0
        ? element(
            'ul',
            { class: 'sb-changes' },
            ...stage.changes.map(text => element('li', {}, text))
          )
        : null,
      this._buttons(model, stage),
      factsOf(stage.facts),
      metrics.length > 0 ? part(trans.__('Metrics'), table([], metrics, true)) : null,
      flowsOf(
        trans.__('Reads'),
        stage.reads.map(({ name, source }) => [name, source && trans.__('from %1', source)])
      ),
      flowsOf(
        trans.__('Makes'),
        stage.makes.map(name => [name, ''])
      ),
      this._cells(model, stage),
      stage.values
        ? this._lazy(model, 'values', trans.__('Values'), async () =>
            valuesOf(await model.api.values(model.path, stage.name), trans)
          )
        : null,
      stage.kept
        ? this._lazy(model, 'figures', trans.__('Figures'), async () =>
            figuresOf(await model.api.figures(model.path, stage.name), trans)
          )
        : null
    );
  }

  /** What failed and where; the line is a button that goes there. */
  private _failure(model: PipelineModel, failure: FailureAnswer): HTMLElement {
    const { trans, actions } = this._tools;
    const { cell, line } = failure;
    const place =
      cell === null
        ? null
        : button(
            line === null
              ? trans.__('Go to cell %1', cell.number)
              : trans.__('Go to cell %1, line %2', cell.number, line),
            () => void actions.jump(model, cell, line),
            { 'data-key': 'failing' }
          );
    const title = failure.name === '' ? failure.message : `${failure.name}: ${failure.message}`;
    return element(
      'div',
      { class: 'sb-failed stagebook-Failure' },
      element('p', {}, title),
      place,
      failure.traceback === ''
        ? null
        : element(
            'details',
            {},
            element('summary', { 'data-key': 'traceback' }, trans.__('Traceback')),
            element('pre', { class: 'sb-code', tabindex: '0' }, failure.traceback)
          )
    );
  }

  private _buttons(model: PipelineModel, stage: StageAnswer): HTMLElement {
    const { trans, actions } = this._tools;
    const { name, actions: words } = stage;
    const fresh = stage.state === 'fresh';
    const all = [
      button(
        words.this,
        () => void actions.run(model, fresh ? { only: name, force: true } : { to: name }),
        {
          'data-key': 'this'
        }
      ),
      words.from === ''
        ? null
        : button(words.from, () => void actions.run(model, { from: name, force: fresh }), {
            'data-key': 'from'
          }),
      fresh || words.this === trans.__('Run this stage')
        ? null
        : button(trans.__('Run only this'), () => void actions.run(model, { only: name }), {
            'data-key': 'only',
            title: trans.__('Run it on what the stages before it have stored.')
          })
    ].filter(one => one !== null);
    for (const one of all) {
      one.disabled = model.isRunning || stage.state === '';
    }
    return element('div', { class: 'sb-buttons' }, ...all);
  }

  private _cells(model: PipelineModel, stage: StageAnswer): HTMLElement | null {
    const { trans, actions } = this._tools;
    if (stage.cells.length === 0) {
      return null;
    }
    const jumps = stage.cells.map(cell =>
      button(trans.__('Cell %1', cell.number), () => void actions.jump(model, cell), {
        class: 'stagebook-Link',
        'data-key': `cell-${cell.number}`
      })
    );
    return part(trans.__('Code'), element('div', { class: 'stagebook-Links' }, ...jumps));
  }

  /** A section whose content is asked for once it is opened; it stays open from stage to stage. */
  private _lazy(
    model: PipelineModel,
    section: string,
    title: string,
    content: () => Promise<HTMLElement>
  ): HTMLElement {
    const { trans, actions } = this._tools;
    const place = element('div', { class: 'sb-content' });
    const summary = element('summary', { 'data-key': section }, title);
    const made = element(
      'details',
      { 'data-section': section },
      summary,
      place
    ) as HTMLDetailsElement;
    made.addEventListener('toggle', () => {
      if (!made.open) {
        this._opened.delete(section);
        return;
      }
      this._opened.add(section);
      if (place.childElementCount === 0 && !model.isDisposed) {
        place.append(element('p', { class: 'sb-quiet' }, trans.__('Loading …')));
        void actions.tried(content).then(found => {
          place.replaceChildren(...(found === null ? [] : [found]));
        });
      }
    });
    made.open = this._opened.has(section);
    return made;
  }

  private readonly _drawn: Drawn;
  private readonly _opened = new Set<string>();
}

/** A number as it is read at a glance. */
export function numberText(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(6)));
}

function part(title: string, content: HTMLElement): HTMLElement {
  return element('div', { class: 'sb-part' }, element('h4', {}, title), content);
}

function factsOf(facts: readonly (readonly string[])[]): HTMLElement | null {
  const pairs = facts.flatMap(([name = '', text = '']) => [
    element('dt', {}, name),
    element('dd', {}, text)
  ]);
  return pairs.length === 0 ? null : element('dl', { class: 'sb-facts' }, ...pairs);
}

function flowsOf(title: string, flows: readonly (readonly [string, string])[]): HTMLElement | null {
  const items = flows.map(([name, where]) =>
    element(
      'li',
      {},
      element('code', {}, name),
      where === '' ? null : element('span', { class: 'sb-quiet' }, ` ${where}`)
    )
  );
  return items.length === 0 ? null : part(title, element('ul', { class: 'sb-flows' }, ...items));
}
