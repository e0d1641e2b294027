import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { ICellModel } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { CellPlace, FixAnswer, SuggestedCell } from './answers';
import { ApiError } from './api';
import { type CellEdit, apply, editsFor, editsOfFix } from './edits';
import type { PipelineModel, Selection } from './pipelinemodel';
import type { Settings } from './settings';
import type { Choice } from './tagging';

/** What buttons, chips and commands do. Whatever goes wrong is said in a notification. */
export class Actions {
  constructor(
    private readonly _settings: Settings,
    private readonly _trans: TranslationBundle
  ) {}

  /** Save the notebook if need be, and run. */
  async run(model: PipelineModel, selection: Selection): Promise<void> {
    const wrong = [...model.given.wrong].join(', ');
    if (wrong !== '') {
      const words = this._trans.__('%1: mend it in the form, then run.', wrong);
      Notification.error(words, { autoClose: 8000 });
      return;
    }
    await this._trying(async () => {
      if (await this._saved(model)) {
        await model.start(selection);
      }
    });
  }

  async cancel(model: PipelineModel): Promise<void> {
    await this._trying(() => model.cancel());
  }

  /** Show a cell, and mark a line in it. */
  async jump(
    model: PipelineModel,
    place: Pick<CellPlace, 'id' | 'index'>,
    line?: number | null
  ): Promise<void> {
    const notebook = model.panel.content;
    const models = model.watch.models();
    const found = models.findIndex(cell => cell.id === place.id);
    const index = found < 0 ? place.index : found;
    const cell = notebook.widgets[index];
    if (cell === undefined) {
      return;
    }
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'center');
    await cell.ready;
    if (
      line !== null &&
      line !== undefined &&
      cell.editor !== null &&
      line <= cell.editor.lineCount
    ) {
      notebook.mode = 'edit';
      const text = cell.editor.getLine(line - 1) ?? '';
      cell.editor.setSelection({
        start: { line: line - 1, column: 0 },
        end: { line: line - 1, column: text.length }
      });
      cell.editor.focus();
    } else {
      notebook.mode = 'command';
      notebook.activate();
    }
  }

  /** Make cells what somebody has picked. */
  tag(model: PipelineModel, cells: readonly ICellModel[], choice: Choice): void {
    const notebook = model.panel.content.model;
    if (notebook !== null) {
      apply(notebook, editsFor(notebook, cells, choice));
    }
  }

  /** Make the cell after this one belong to the same stage. */
  extend(model: PipelineModel, cell: ICellModel): void {
    const role = model.watch.roleOf(cell);
    const models = model.watch.models();
    const next = models.slice(models.indexOf(cell) + 1).find(one => one.type === 'code');
    if (
      next === undefined ||
      role === null ||
      role.role === 'exploration' ||
      role.role === 'unclear'
    ) {
      return;
    }
    const name = role.stage === null ? {} : { name: role.stage };
    this.tag(model, [next], { role: role.role, ...name });
    const at = models.indexOf(next);
    model.panel.content.activeCellIndex = at;
    void model.panel.content.scrollToItem(at);
    model.panel.content.mode = 'command'; // the keys that undo it are the notebook's
    model.panel.content.activate();
  }

  /** Change cells, as one step of undo. */
  edit(model: PipelineModel, edits: readonly CellEdit[]): void {
    const notebook = model.panel.content.model;
    if (notebook !== null) {
      apply(notebook, edits);
    }
  }

  /** Mend what a finding is about. */
  fix(model: PipelineModel, fix: FixAnswer): void {
    const notebook = model.panel.content.model;
    if (notebook !== null) {
      apply(notebook, editsOfFix(notebook, fix.edits));
    }
  }

  /** Take up what was suggested. */
  accept(model: PipelineModel, cells: readonly SuggestedCell[]): void {
    const notebook = model.panel.content.model;
    if (notebook === null) {
      return;
    }
    const models = new Map(model.watch.models().map(cell => [cell.id, cell]));
    const edits = cells.flatMap(({ id, tag, metrics }) => {
      const cell = models.get(id);
      if (cell === undefined || tag === null) {
        return [];
      }
      const tags = [...((cell.getMetadata('tags') as string[] | undefined) ?? []), tag];
      const before = (cell.getMetadata('stagebook') as Record<string, unknown> | undefined) ?? {};
      return [
        { cell, tags, ...(metrics.length > 0 && { options: { metrics: [...metrics], ...before } }) }
      ];
    });
    apply(notebook, edits);
  }

  /** Do something that may fail, and say so if it does. */
  async tried<T>(what: () => Promise<T>): Promise<T | null> {
    let result: T | null = null;
    await this._trying(async () => {
      result = await what();
    });
    return result;
  }

  /** Whether the notebook is saved, or has been now. */
  private async _saved(model: PipelineModel): Promise<boolean> {
    const { context } = model.panel;
    // What has changed may be outputs only, or something else that a run does not read.
    if (!context.model.dirty || (await model.isSaved())) {
      return true;
    }
    if (this._settings.saveBeforeRun === 'ask') {
      const name = context.path.split('/').at(-1) ?? context.path;
      const { button } = await showDialog({
        title: this._trans.__('Save %1 first?', name),
        body: this._trans.__(
          'A run takes the notebook as it is saved, and it has changes that are not.'
        ),
        buttons: [
          Dialog.cancelButton({ label: this._trans.__('Cancel') }),
          Dialog.okButton({ label: this._trans.__('Save and run') })
        ]
      });
      if (!button.accept) {
        return false;
      }
    }
    await context.save();
    return !context.model.dirty;
  }

  private async _trying(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      Notification.error(errorWords(error, this._trans), { autoClose: 8000 });
    }
  }
}

/** What to tell of an error. */
export function errorWords(error: unknown, trans: TranslationBundle): string {
  if (error instanceof ApiError) {
    return error.isMissing
      ? missingWords(trans)
      : error.message || trans.__('The server has failed.');
  }
  return error instanceof Error ? error.message : String(error);
}

/** What to tell where the server extension is missing. */
export function missingWords(trans: TranslationBundle): string {
  return trans.__(
    'The server side of Stagebook is not enabled. Run “jupyter server extension enable stagebook.lab” where the server runs, and start the server again.'
  );
}
