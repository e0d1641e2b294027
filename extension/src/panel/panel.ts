import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { Actions } from '../actions';
import { element } from '../dom';
import type { IStagebook } from '../tokens';
import { Findings } from './findings';
import { Form } from './form';
import { GraphPart } from './graphpart';
import { Head } from './head';
import { Log } from './log';
import { Monitors } from './monitors';
import { Pane } from './pane';
import type { Part } from './part';
import { Runs } from './runs';
import { Suggestions } from './suggestions';

/** The panel beside the notebook: the graph, what there is to say of a stage, findings, parameters, log, runs and monitors. */
export class PipelinePanel extends Widget {
  constructor(
    private readonly _stagebook: IStagebook,
    actions: Actions,
    pick: () => void,
    trans: TranslationBundle
  ) {
    super();
    this.id = 'stagebook-panel';
    this.addClass('stagebook-Panel');
    const tools = { actions, trans };
    this._graph = new GraphPart(tools, stage => {
      this.choose(stage === this._pane.stage ? '' : stage);
    });
    this._pane = new Pane(tools, () => {
      const { stage } = this._pane;
      this.choose('');
      this._graph.focus(stage);
    });
    this._runs = new Runs(tools);
    this._parts = [
      new Head(tools),
      new Suggestions(tools, pick),
      this._graph,
      this._pane,
      new Findings(tools),
      new Form(tools),
      new Log(tools),
      this._runs,
      new Monitors(tools)
    ];
    // The classes are those of the widgets in the notebook: one look.
    const root = {
      class: 'stagebook sb-pipeline sb-runs',
      role: 'region',
      'aria-label': trans.__('Pipeline')
    };
    this.node.append(element('div', root, ...this._parts.map(part => part.node)));
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape' && this._pane.stage !== '') {
        event.preventDefault();
        const { stage } = this._pane;
        this.choose('');
        this._graph.focus(stage);
      }
    });
    _stagebook.currentChanged.connect(this._onCurrent, this);
    _stagebook.changed.connect(this.update, this);
    this._onCurrent();
  }

  override dispose(): void {
    clearInterval(this._ticking);
    this._graph.dispose();
    super.dispose();
  }

  /** Look at a stage; at none, if the name is empty. */
  choose(stage: string): void {
    this._pane.stage = stage;
    this._graph.mark(stage);
    this._pane.show(this._stagebook.current);
  }

  /** Move the focus to the graph. */
  focusGraph(): void {
    this._graph.focus();
  }

  /** Show the list of runs. */
  openRuns(): void {
    this._runs.open();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._stagebook.current?.refresh();
    this.update();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    const { current } = this._stagebook;
    if (!this.isVisible) {
      return; // it is drawn when it is shown
    }
    for (const part of this._parts) {
      part.show(current);
    }
    const ticks = current?.isRunning === true;
    if (ticks && this._ticking === undefined) {
      this._ticking = setInterval(() => {
        this._graph.tick();
      }, 1000);
    } else if (!ticks) {
      clearInterval(this._ticking);
      this._ticking = undefined;
    }
  }

  private _onCurrent(): void {
    this.choose('');
    this.update();
  }

  private _ticking: ReturnType<typeof setInterval> | undefined;
  private readonly _graph: GraphPart;
  private readonly _pane: Pane;
  private readonly _runs: Runs;
  private readonly _parts: readonly Part[];
}
