import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { PipelineModel } from './pipelinemodel';
import { SIGNS, shownStages, summary } from './standing';
import type { IStagebook } from './tokens';

/** How the stages of a notebook stand, in a few words; a press shows the panel. It is gone where there are none. */
export class StatusItem extends Widget {
  constructor(
    private readonly _stagebook: IStagebook,
    private readonly _trans: TranslationBundle,
    /** The notebook that it speaks of; whichever is worked in, without one. */
    private readonly _model: PipelineModel | null = null
  ) {
    super();
    this.addClass('stagebook-Status');
    this._button.type = 'button';
    this._button.addEventListener('click', () => {
      _stagebook.look('');
    });
    this.node.append(this._button);
    if (_model === null) {
      _stagebook.changed.connect(this.update, this);
      _stagebook.currentChanged.connect(this.update, this);
    } else {
      _model.changed.connect(this.update, this);
    }
    this.update();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    const words = this._words();
    this.setHidden(words === '');
    if (this._button.textContent !== words) {
      this._button.textContent = words;
      this._button.title = this._trans.__('Show the pipeline');
      this._button.setAttribute('aria-label', this._trans.__('Pipeline: %1', words));
    }
  }

  private _words(): string {
    const trans = this._trans;
    const model = this._model ?? this._stagebook.current;
    if (model?.hasRoles !== true) {
      return '';
    }
    const stages =
      model.analysis === null
        ? []
        : shownStages(model.analysis, model.run, performance.now(), trans);
    const running = stages.find(stage => stage.state === 'running');
    if (running !== undefined) {
      return `${SIGNS.running ?? ''} ${running.name} · ${running.below}`;
    }
    if (model.isRunning) {
      return trans.__('▶ run starts');
    }
    const errors = model.analysis?.findings.filter(one => one.severity === 'error').length ?? 0;
    if (errors > 0) {
      return `${SIGNS.failed ?? ''} ${trans._n('%1 error', '%1 errors', errors)}`;
    }
    const counts = summary(stages, trans).filter(([state]) => state !== 'skipped');
    const news = counts.filter(([state]) => state !== 'fresh');
    const told = (news.length > 0 ? news : counts).slice(0, 2);
    return told.length === 0
      ? trans.__('Pipeline')
      : told.map(([state, text]) => `${SIGNS[state] ?? ''} ${text}`).join(' · ');
  }

  private readonly _button = document.createElement('button');
}
