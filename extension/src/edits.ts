/** Changes of a notebook's cells, made through the shared model: one undo step each, seen by whoever else is there. */

import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

import type { FixEdit } from './answers';
import { tagsOf } from './model';
import { type Choice, chosen } from './tagging';

/** What a cell is to become; what is left out stays. */
export interface CellEdit {
  readonly cell: ICellModel;
  readonly tags?: readonly string[];
  readonly source?: string;
  /** The stage's options; empty to have none. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Makes the changes, as one step of undo. */
export function apply(notebook: INotebookModel, edits: readonly CellEdit[]): void {
  const shared = notebook.sharedModel;
  if (edits.length === 0) {
    return;
  }
  // Otherwise what was typed a moment ago would be undone along with this.
  stopCapturing(shared);
  shared.transact(() => {
    for (const edit of edits) {
      applyOne(edit);
    }
  });
  stopCapturing(shared);
}

/** What picking a role for cells changes. */
export function editsFor(
  notebook: INotebookModel,
  cells: readonly ICellModel[],
  choice: Choice
): CellEdit[] {
  const allTags = [...notebook.cells]
    .filter(cell => cell.type === 'code')
    .map(cell => tagsOf(cell.getMetadata('tags')));
  return cells.map(cell => {
    const before = { tags: tagsOf(cell.getMetadata('tags')), source: cell.sharedModel.getSource() };
    return { cell, ...chosen(before, choice, allTags) };
  });
}

/** The changes that the server proposes, for the cells that are still there. */
export function editsOfFix(notebook: INotebookModel, fix: readonly FixEdit[]): CellEdit[] {
  const byId = new Map([...notebook.cells].map(cell => [cell.id, cell]));
  return fix.flatMap(({ cell: id, tags, source }) => {
    const cell = byId.get(id);
    return cell === undefined
      ? []
      : [{ cell, ...(tags !== null && { tags }), ...(source !== null && { source }) }];
  });
}

function applyOne({ cell, tags, source, options }: CellEdit): void {
  const shared = cell.sharedModel;
  if (tags !== undefined && !same(tags, tagsOf(cell.getMetadata('tags')))) {
    if (tags.length > 0) {
      shared.setMetadata('tags', [...tags]);
    } else {
      shared.deleteMetadata('tags');
    }
  }
  if (options !== undefined) {
    if (Object.keys(options).length > 0) {
      shared.setMetadata('stagebook', options as Parameters<typeof shared.setMetadata>[1]);
    } else if (shared.getMetadata('stagebook') !== undefined) {
      shared.deleteMetadata('stagebook');
    }
  }
  if (source !== undefined && source !== shared.getSource()) {
    replace(cell, source);
  }
}

/** Changes only the part that differs, so that the cursor, and what others write, stays where it is. */
function replace(cell: ICellModel, source: string): void {
  const before = cell.sharedModel.getSource();
  let start = 0;
  while (start < Math.min(before.length, source.length) && before[start] === source[start]) {
    start++;
  }
  let end = 0;
  const most = Math.min(before.length, source.length) - start;
  while (end < most && before[before.length - 1 - end] === source[source.length - 1 - end]) {
    end++;
  }
  cell.sharedModel.updateSource(
    start,
    before.length - end,
    source.slice(start, source.length - end)
  );
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((tag, index) => tag === other[index]);
}

/** Yjs joins changes that follow each other quickly into one step of undo. */
function stopCapturing(shared: object): void {
  const { undoManager } = shared as { undoManager?: { stopCapturing?: () => void } };
  undoManager?.stopCapturing?.();
}
