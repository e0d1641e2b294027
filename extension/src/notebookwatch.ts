import { type ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { ConflatableMessage, type IMessageHandler, MessageLoop } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';

import { type CellRole, type CellSketch, cellRoles, firstLine, tagsOf } from './model';

/** What is known of a cell between two changes of it. */
interface Known {
  readonly sketch: CellSketch;
  /** The cell as it is sent to the server: JSON. */
  readonly sent: string;
}

/**
 * Follows the cells of a notebook: their roles, and the text that the server analyses.
 *
 * A keystroke costs one look at the cell that it is in, however long the notebook is.
 */
export class NotebookWatch implements IDisposable, IMessageHandler {
  constructor(notebook: Notebook) {
    this._notebook = notebook;
    notebook.modelChanged.connect(this._onModelChanged, this);
    notebook.disposed.connect(this.dispose, this);
    this._onModelChanged();
  }

  /** Emitted when the roles may have changed, once for changes that come together. */
  get rolesChanged(): ISignal<this, void> {
    return this._rolesChanged;
  }

  /** Emitted when what an analysis reads has changed. */
  get edited(): ISignal<this, void> {
    return this._edited;
  }

  /** The role of every cell; null if no cell plays a part in a pipeline, or nothing is known yet. */
  get roles(): readonly (CellRole | null)[] | null {
    return this._roles;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      MessageLoop.clearData(this);
      Signal.clearData(this);
      this._known.clear();
    }
  }

  /** The cells' models, in order. */
  models(): ICellModel[] {
    return [...(this._notebook.model?.cells ?? [])];
  }

  /** The role of a cell. */
  roleOf(model: ICellModel): CellRole | null {
    return this._roles?.[this.models().indexOf(model)] ?? null;
  }

  /** The unsaved notebook without outputs, as JSON. */
  asJson(): string {
    const model = this._notebook.model;
    if (model === null) {
      return '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}';
    }
    const cells = this.models().map(cell => (this._known.get(cell) ?? known(cell)).sent);
    const metadata = JSON.stringify(model.sharedModel.metadata);
    const format = `"nbformat":${model.nbformat},"nbformat_minor":${model.nbformatMinor}`;
    return `{"cells":[${cells.join(',')}],"metadata":${metadata},${format}}`;
  }

  /** Reads the roles. Many changes at once (a paste, a reload) end in one message. */
  processMessage(): void {
    if (this._isDisposed || this._notebook.model === null) {
      return;
    }
    const models = this.models();
    this._follow(models);
    this._roles = cellRoles(models.map(cell => (this._known.get(cell) ?? known(cell)).sketch));
    this._rolesChanged.emit();
  }

  /** Listens to the notebook's cells, and no longer to those that are gone. */
  private _follow(models: readonly ICellModel[]): void {
    const present = new Set(models);
    for (const gone of [...this._known.keys()].filter(model => !present.has(model))) {
      gone.contentChanged.disconnect(this._onCellChanged, this);
      gone.metadataChanged.disconnect(this._onCellChanged, this);
      this._known.delete(gone);
    }
    for (const model of models.filter(model => !this._known.has(model))) {
      model.contentChanged.connect(this._onCellChanged, this);
      model.metadataChanged.connect(this._onCellChanged, this);
      this._known.set(model, known(model));
    }
  }

  private _onModelChanged(): void {
    this._notebook.model?.cells.changed.connect(this._onCellsChanged, this);
    this._onCellsChanged();
  }

  private _onCellsChanged(): void {
    this._request();
    this._edited.emit();
  }

  /** Most keystrokes change nothing that a chip shows; outputs change nothing at all. */
  private _onCellChanged(model: ICellModel): void {
    const before = this._known.get(model);
    const now = known(model);
    if (now.sent === before?.sent) {
      return;
    }
    this._known.set(model, now);
    if (JSON.stringify(now.sketch) !== JSON.stringify(before?.sketch)) {
      this._request();
    }
    this._edited.emit();
  }

  private _request(): void {
    MessageLoop.postMessage(this, new ConflatableMessage('stagebook-read-roles'));
  }

  private _isDisposed = false;
  private readonly _notebook: Notebook;
  private readonly _known = new Map<ICellModel, Known>();
  private _roles: readonly (CellRole | null)[] | null = null;
  private readonly _rolesChanged = new Signal<this, void>(this);
  private readonly _edited = new Signal<this, void>(this);
}

function known(model: ICellModel): Known {
  const source = model.sharedModel.getSource();
  const tags = tagsOf(model.getMetadata('tags'));
  const options: unknown = model.getMetadata('stagebook');
  const metadata = {
    ...(tags.length > 0 && { tags }),
    ...(options !== undefined && { stagebook: options })
  };
  return {
    sketch: { isCode: isCodeCellModel(model), tags, firstLine: firstLine(source) },
    sent: JSON.stringify({ id: model.id, cell_type: model.type, metadata, source })
  };
}
