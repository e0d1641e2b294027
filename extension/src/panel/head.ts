import { missingWords } from '../actions';
import { button, element, stateMark } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { runningStages } from '../runnow';
import { shownStages, summary } from '../standing';
import { Drawn, type Part, type Tools } from './part';

/** The line above all: the notebook, how its stages stand, the button that runs what is not fresh. */
export class Head implements Part {
  constructor(private readonly _tools: Tools) {
    this.node = element('div', { class: 'stagebook-Head' }, this._line, this._said, this._remarks);
    this._drawn = new Drawn(this._line);
    this._drawnRemarks = new Drawn(this._remarks);
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    this._showLine(model);
    const said = model === null ? '' : this._sentence(model);
    if (this._said.textContent !== said) {
      this._said.textContent = said;
    }
    this._showRemarks(model);
  }

  private _showLine(model: PipelineModel | null): void {
    const { trans } = this._tools;
    const { analysis = null } = model ?? {};
    const stages =
      model === null || analysis === null ? [] : shownStages(analysis, model.run, 0, trans);
    const counts = summary(stages, trans);
    const title = analysis?.title ?? model?.path.split('/').at(-1) ?? '';
    const runAll = analysis?.run_all ?? '';
    const blocked = stages.some(stage => stage.state === '');
    const { isRunning = false, isCancelling = false } = model ?? {};
    this._drawn.draw(
      [title, counts, runAll, blocked, isRunning, isCancelling, stages.length],
      () => [
        element('strong', { class: 'stagebook-Head-title', title }, title),
        element(
          'span',
          { class: 'sb-counts' },
          ...counts.map(([state, text]) => stateMark(state, text))
        ),
        model === null || (stages.length === 0 && !isRunning)
          ? null
          : this._buttons(model, { runAll, blocked })
      ]
    );
  }

  /** @param how - what the main button says; whether nothing can run, as it cannot be told how stages stand. */
  private _buttons(
    model: PipelineModel,
    { runAll, blocked }: { runAll: string; blocked: boolean }
  ): HTMLElement {
    const { trans, actions } = this._tools;
    if (model.isRunning) {
      const made = button(
        model.isCancelling ? trans.__('Cancelling …') : trans.__('Cancel the run'),
        () => void actions.cancel(model),
        { 'data-key': 'main' }
      );
      made.disabled = model.isCancelling;
      return element('div', { class: 'sb-buttons' }, made);
    }
    const words = blocked ? trans.__('Mend what is wrong, then run') : trans.__('All is fresh');
    const main = button(runAll || words, () => void actions.run(model, {}), {
      class: 'sb-button sb-main',
      'data-key': 'main'
    });
    main.disabled = runAll === '';
    const again = button(
      trans.__('Run all again'),
      () => void actions.run(model, { force: true }),
      {
        'data-key': 'again',
        title: trans.__('Run every stage, also where nothing has changed.')
      }
    );
    return element('div', { class: 'sb-buttons' }, main, blocked ? null : again);
  }

  /** What goes on, or how it ended; a screen reader says it as it changes. */
  private _sentence(model: PipelineModel): string {
    const { trans } = this._tools;
    const { run, lastEnd } = model;
    if (model.isRunning) {
      const running = runningStages(run);
      if (running.length > 0) {
        return trans.__('Running %1.', running.join(', '));
      }
      return run.id === '' ? trans.__('The run starts.') : trans.__('The run goes on.');
    }
    if (lastEnd === null) {
      return '';
    }
    const words: Readonly<Record<string, string>> = {
      done: trans.__('The run is done.'),
      failed: trans.__('The run has failed.'),
      rejected: trans.__('The run ended at a closed gate.'),
      interrupted: trans.__('The run was interrupted.'),
      refused: trans.__('The run could not be started.')
    };
    return words[lastEnd.state] ?? trans.__('The run has died.');
  }

  private _showRemarks(model: PipelineModel | null): void {
    const { trans } = this._tools;
    const alarms = [
      model?.trouble?.isMissing === true ? missingWords(trans) : (model?.trouble?.message ?? ''),
      model?.hasRoles === true ? (model.analysis?.trouble ?? '') : '',
      model?.lastEnd?.errors ?? ''
    ].filter(text => text !== '');
    const notices = model?.run.notices ?? [];
    this._drawnRemarks.draw([alarms, notices], () => [
      ...alarms.map(text => element('p', { class: 'sb-trouble', role: 'alert' }, text)),
      ...notices.map(text => element('p', { class: 'sb-remark' }, text))
    ]);
  }

  private readonly _line = element('div', { class: 'stagebook-Head-line' });
  private readonly _said = element('p', {
    class: 'sb-said',
    role: 'status',
    'aria-live': 'polite'
  });
  private readonly _remarks = element('div', { class: 'sb-remarks' });
  private readonly _drawn: Drawn;
  private readonly _drawnRemarks: Drawn;
}
