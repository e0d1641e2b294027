import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';

import { Actions } from './actions';
import type { Api } from './api';
import { Picker } from './picker';
import { PipelineModel } from './pipelinemodel';
import { Settings } from './settings';
import type { IStagebook } from './tokens';

/** The pipelines of the notebooks that are open: one each, made when it is opened. */
export class Stagebook implements IStagebook {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _api: Api,
    private readonly _localPath: (path: string) => string,
    trans: TranslationBundle
  ) {
    this.actions = new Actions(this.settings, trans);
    this._picker = new Picker(this.actions, trans);
    _tracker.forEach(panel => this.of(panel));
    _tracker.widgetAdded.connect((_sender, panel) => {
      this.of(panel);
    });
    _tracker.currentChanged.connect(this._onCurrent, this);
  }

  readonly settings = new Settings();
  readonly actions: Actions;

  get current(): PipelineModel | null {
    const panel = this._tracker.currentWidget;
    return panel === null ? null : this.of(panel);
  }

  get currentChanged(): ISignal<this, PipelineModel | null> {
    return this._currentChanged;
  }

  get changed(): ISignal<this, PipelineModel> {
    return this._changed;
  }

  get runEnded(): ISignal<this, PipelineModel> {
    return this._runEnded;
  }

  get looked(): ISignal<this, string> {
    return this._looked;
  }

  of(panel: NotebookPanel): PipelineModel {
    const known = this._models.get(panel);
    if (known !== undefined) {
      return known;
    }
    const model = new PipelineModel(panel, this._api, this._localPath);
    this._models.set(panel, model);
    model.changed.connect(() => {
      if (this._tracker.currentWidget === panel) {
        this._changed.emit(model);
      }
    });
    model.ended.connect(() => {
      this._runEnded.emit(model);
    });
    panel.disposed.connect(() => {
      this._models.delete(panel);
    });
    return model;
  }

  pick(model: PipelineModel, cell: ICellModel, anchor: HTMLElement): void {
    this._picker.open(model, cell, anchor);
  }

  look(stage: string): void {
    this._looked.emit(stage);
  }

  private _onCurrent(): void {
    this._currentChanged.emit(this.current);
  }

  private readonly _picker: Picker;
  private readonly _models = new Map<NotebookPanel, PipelineModel>();
  private readonly _currentChanged = new Signal<this, PipelineModel | null>(this);
  private readonly _changed = new Signal<this, PipelineModel>(this);
  private readonly _runEnded = new Signal<this, PipelineModel>(this);
  private readonly _looked = new Signal<this, string>(this);
}
