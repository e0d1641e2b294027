import { Widget } from '@lumino/widgets';

import type { CellRole } from './model';
import type { ChipWording, StateWording } from './wording';

/** What pressing a chip does. */
export interface ChipPresses {
  /** Pick another role; `anchor` is where the picker goes. */
  readonly pick: (anchor: HTMLElement) => void;
  /** Make the next cell belong to the same stage. */
  readonly extend: () => void;
  /** Show what there is to say of the stage. */
  readonly look: (stage: string) => void;
}

/** The row at the top of a cell that says what part the cell plays, and how its stage stands. */
export class StageChip extends Widget {
  constructor(presses: ChipPresses) {
    super();
    this.addClass('stagebook-Chip');
    // Keys that are pressed here are not the notebook's.
    this.node.setAttribute('data-lm-suppress-shortcuts', 'true');
    this._label.type = 'button';
    this._label.className = 'stagebook-Chip-label';
    this._label.setAttribute('aria-haspopup', 'dialog');
    this._label.addEventListener('click', event => {
      if (event.altKey) {
        presses.extend();
      } else {
        presses.pick(this._label);
      }
    });
    this._state.type = 'button';
    this._state.className = 'stagebook-Chip-state';
    this._sign.setAttribute('aria-hidden', 'true');
    this._sign.className = 'stagebook-Chip-sign';
    this._state.append(this._sign, this._word);
    this._state.addEventListener('click', () => {
      presses.look(this._stage);
    });
    this._state.hidden = true;
    this.node.append(this._label, this._state);
  }

  /** Where the picker goes. */
  get anchor(): HTMLElement {
    return this._label;
  }

  /** Shows `cell` in the words of `wording`; touches the page only where something changed. */
  render(cell: CellRole, wording: ChipWording, state: StateWording | null): void {
    this._stage = cell.stage ?? '';
    const color = cell.color === null ? '' : ` stagebook-mod-color${cell.color}`;
    const continued = cell.continued ? ' stagebook-mod-continued' : '';
    const className = `stagebook-Chip-label stagebook-mod-${cell.role}${continued}${color}`;
    if (this._label.className !== className) {
      this._label.className = className;
    }
    setText(this._label, wording.text);
    setAttribute(this._label, 'title', wording.title);
    setAttribute(this._label, 'aria-label', wording.label);
    this._renderState(state);
  }

  private _renderState(state: StateWording | null): void {
    if (this._state.hidden !== (state === null)) {
      this._state.hidden = state === null;
    }
    if (state !== null) {
      setAttribute(this._state, 'data-state', state.state);
      setText(this._sign, state.sign);
      setText(this._word, state.text);
      setAttribute(this._state, 'title', state.title);
      setAttribute(this._state, 'aria-label', state.label);
    }
  }

  private _stage = '';
  private readonly _label = document.createElement('button');
  private readonly _state = document.createElement('button');
  private readonly _sign = document.createElement('span');
  private readonly _word = document.createElement('span');
}

function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

function setAttribute(node: HTMLElement, name: string, value: string): void {
  if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}
