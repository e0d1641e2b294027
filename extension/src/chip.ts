import { Widget } from '@lumino/widgets';

import type { CellRole } from './model';
import type { ChipWording } from './wording';

/** The row at the top of a cell that says what part the cell plays. */
export class StageChip extends Widget {
  constructor() {
    super();
    this.addClass('stagebook-Chip');
    this._label.className = 'stagebook-Chip-label';
    // A note, and not a button: there is nothing to press yet.
    this._label.setAttribute('role', 'note');
    this.node.append(this._label);
  }

  /** Shows `cell` in the words of `wording`; touches the page only where something changed. */
  render(cell: CellRole, wording: ChipWording): void {
    const color = cell.color === null ? '' : ` stagebook-mod-color${cell.color}`;
    const continued = cell.continued ? ' stagebook-mod-continued' : '';
    const className = `stagebook-Chip-label stagebook-mod-${cell.role}${continued}${color}`;
    if (this._label.className !== className) {
      this._label.className = className;
    }
    if (this._label.textContent !== wording.text) {
      this._label.textContent = wording.text;
    }
    if (this._label.title !== wording.title) {
      this._label.title = wording.title;
    }
    if (this._label.getAttribute('aria-label') !== wording.label) {
      this._label.setAttribute('aria-label', wording.label);
    }
  }

  private readonly _label = document.createElement('span');
}
