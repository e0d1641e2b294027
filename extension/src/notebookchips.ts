import type { Cell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { ConflatableMessage, type IMessageHandler, MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { PanelLayout } from '@lumino/widgets';

import { type ChipPresses, StageChip } from './chip';
import type { CellRole } from './model';
import type { PipelineModel } from './pipelinemodel';
import { type ShownStage, shownStages } from './standing';
import type { IStagebook } from './tokens';
import { chipWording, stateWording } from './wording';

/**
 * Keeps the chips of one notebook true to its cells, and to how their stages stand.
 *
 * Chips are widgets in the cell's own layout, so they come and go with the cell in every windowing mode.
 */
export class NotebookChips implements IDisposable, IMessageHandler {
  constructor(
    private readonly _model: PipelineModel,
    private readonly _stagebook: IStagebook,
    private readonly _trans: TranslationBundle
  ) {
    const notebook = _model.panel.content;
    _model.changed.connect(this._request, this);
    _stagebook.settings.changed.connect(this._request, this);
    notebook.disposed.connect(this.dispose, this);
    this._request();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    MessageLoop.clearData(this);
    Signal.clearData(this);
    for (const cell of this._model.panel.content.widgets) {
      chipOf(cell)?.dispose();
    }
  }

  /** Draws the chips. Many changes at once (a paste, a run's events) end in one message. */
  processMessage(): void {
    const notebook = this._model.panel.content;
    if (this._isDisposed || notebook.model === null) {
      return;
    }
    const { watch, analysis, run } = this._model;
    const roles = this._stagebook.settings.chips ? watch.roles : null;
    const stages = analysis === null ? [] : shownStages(analysis, run, 0, this._trans);
    const shown = new Map(stages.map(stage => [stage.name, stage]));
    const roleOf = new Map(watch.models().map((model, index) => [model, roles?.[index] ?? null]));
    for (const cell of notebook.widgets) {
      const role = roleOf.get(cell.model) ?? null;
      this._decorate(cell, role, shown.get(role?.stage ?? '') ?? null);
    }
  }

  private _decorate(cell: Cell, role: CellRole | null, stage: ShownStage | null): void {
    const chip = chipOf(cell);
    if (role === null) {
      chip?.dispose();
      return;
    }
    const state =
      stage === null ? null : stateWording(role, stage, this._place(cell, stage), this._trans);
    (chip ?? addChip(cell, this._presses(cell)))?.render(
      role,
      chipWording(role, this._trans),
      state
    );
  }

  /** Whether it is in this cell that the stage runs, or has failed. */
  private _place(cell: Cell, stage: ShownStage): 'runs' | 'failed' | null {
    const { analysis, run, failures } = this._model;
    if (stage.state === 'running') {
      const number = run.stages.get(stage.name)?.cell ?? null;
      const id = analysis?.cells.find(one => one.number === number)?.id;
      return id === cell.model.id ? 'runs' : null;
    }
    return stage.state === 'failed' && failures.get(stage.name)?.cell?.id === cell.model.id
      ? 'failed'
      : null;
  }

  private _presses(cell: Cell): ChipPresses {
    return {
      pick: anchor => {
        this._stagebook.pick(this._model, cell.model, anchor);
      },
      extend: () => {
        this._stagebook.actions.extend(this._model, cell.model);
      },
      look: stage => {
        this._stagebook.look(stage);
      }
    };
  }

  private _request(): void {
    MessageLoop.postMessage(this, new ConflatableMessage('stagebook-draw-chips'));
  }

  private _isDisposed = false;
}

/** The chip of a cell, if it has one. */
export function chipOf(cell: Cell): StageChip | undefined {
  for (const child of cell.layout ?? []) {
    if (child instanceof StageChip) {
      return child;
    }
  }
  return undefined;
}

function addChip(cell: Cell, presses: ChipPresses): StageChip | undefined {
  if (!(cell.layout instanceof PanelLayout)) {
    return undefined;
  }
  const chip = new StageChip(presses);
  cell.layout.insertWidget(0, chip);
  return chip;
}
