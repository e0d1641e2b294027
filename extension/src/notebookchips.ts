import { type Cell, type ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { ConflatableMessage, type IMessageHandler, MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { PanelLayout } from '@lumino/widgets';

import { StageChip } from './chip';
import { type CellRole, type CellSketch, cellRoles, firstLine, tagsOf } from './model';
import { chipWording } from './wording';

/**
 * Keeps the chips of one notebook true to its cells.
 *
 * Chips are widgets in the cell's own layout, so they come and go with the cell in every windowing mode.
 */
export class NotebookChips implements IDisposable, IMessageHandler {
  constructor(notebook: Notebook, trans: TranslationBundle) {
    this._notebook = notebook;
    this._trans = trans;
    notebook.modelChanged.connect(this._onModelChanged, this);
    notebook.disposed.connect(this.dispose, this);
    this._onModelChanged();
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
    this._sketches.clear();
    for (const cell of this._notebook.widgets) {
      chipOf(cell)?.dispose();
    }
  }

  /** Draws the chips. Many changes at once (a paste, a reload) end in one message. */
  processMessage(): void {
    const model = this._notebook.model;
    if (this._isDisposed || model === null) {
      return;
    }
    const models = [...model.cells];
    this._watch(models);
    const roles = cellRoles(models.map(cell => this._sketches.get(cell) ?? sketch(cell)));
    const roleOf = new Map(models.map((cell, index) => [cell, roles?.[index] ?? null]));
    for (const cell of this._notebook.widgets) {
      this._decorate(cell, roleOf.get(cell.model) ?? null);
    }
  }

  private _decorate(cell: Cell, role: CellRole | null): void {
    const chip = chipOf(cell);
    if (role === null) {
      chip?.dispose();
    } else {
      (chip ?? addChip(cell))?.render(role, chipWording(role, this._trans));
    }
  }

  /** Listens to the notebook's cells, and no longer to those that are gone. */
  private _watch(models: readonly ICellModel[]): void {
    const present = new Set(models);
    for (const gone of [...this._sketches.keys()].filter(model => !present.has(model))) {
      gone.contentChanged.disconnect(this._onCellChanged, this);
      gone.metadataChanged.disconnect(this._onCellChanged, this);
      this._sketches.delete(gone);
    }
    for (const model of models.filter(model => !this._sketches.has(model))) {
      model.contentChanged.connect(this._onCellChanged, this);
      model.metadataChanged.connect(this._onCellChanged, this);
      this._sketches.set(model, sketch(model));
    }
  }

  private _onModelChanged(): void {
    this._notebook.model?.cells.changed.connect(this._requestDraw, this);
    this._requestDraw();
  }

  /** Most keystrokes change nothing that a chip shows. */
  private _onCellChanged(model: ICellModel): void {
    const now = sketch(model);
    const before = this._sketches.get(model);
    if (JSON.stringify(now) !== JSON.stringify(before)) {
      this._sketches.set(model, now);
      this._requestDraw();
    }
  }

  private _requestDraw(): void {
    MessageLoop.postMessage(this, new ConflatableMessage('stagebook-draw-chips'));
  }

  private _isDisposed = false;
  private readonly _notebook: Notebook;
  private readonly _sketches = new Map<ICellModel, CellSketch>();
  private readonly _trans: TranslationBundle;
}

function sketch(model: ICellModel): CellSketch {
  return {
    isCode: isCodeCellModel(model),
    tags: tagsOf(model.getMetadata('tags')),
    firstLine: firstLine(model.sharedModel.getSource())
  };
}

function chipOf(cell: Cell): StageChip | undefined {
  for (const child of cell.layout ?? []) {
    if (child instanceof StageChip) {
      return child;
    }
  }
  return undefined;
}

function addChip(cell: Cell): StageChip | undefined {
  if (!(cell.layout instanceof PanelLayout)) {
    return undefined;
  }
  const chip = new StageChip();
  cell.layout.insertWidget(0, chip);
  return chip;
}
