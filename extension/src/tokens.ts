import type { ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Actions } from './actions';
import type { PipelineModel } from './pipelinemodel';
import type { Settings } from './settings';

/** The pipelines of the notebooks that are open, and what can be done with them. */
export interface IStagebook {
  /** The pipeline of the notebook that is worked in; null where there is none. */
  readonly current: PipelineModel | null;
  /** Emitted when another notebook is worked in. */
  readonly currentChanged: ISignal<IStagebook, PipelineModel | null>;
  /** Emitted when something about the current pipeline has changed. */
  readonly changed: ISignal<IStagebook, PipelineModel>;
  /** Emitted when a run has ended, in whichever notebook. */
  readonly runEnded: ISignal<IStagebook, PipelineModel>;
  /** Emitted when somebody wants to see a stage; an empty name is the graph. */
  readonly looked: ISignal<IStagebook, string>;
  readonly settings: Settings;
  readonly actions: Actions;
  /** The pipeline of a notebook. */
  of(panel: NotebookPanel): PipelineModel;
  /** Let somebody pick a role for a cell; `anchor` is what the picker opens at. */
  pick(model: PipelineModel, cell: ICellModel, anchor: HTMLElement): void;
  /** Show a stage in the panel. */
  look(stage: string): void;
}

/** Stagebook: for extensions that show pipelines, or do something with them. */
export const IStagebook = new Token<IStagebook>(
  'stagebook:IStagebook',
  'The pipelines of the notebooks that are open, and what can be done with them.'
);
