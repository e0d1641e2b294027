import type { ICellModel } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Actions } from './actions';
import { type Offer, offers } from './choices';
import { button, element } from './dom';
import { isKalesNotebook } from './kale';
import { STAGE_COLORS, stageNames, tagsOf } from './model';
import { OptionsForm } from './optionsform';
import type { PipelineModel } from './pipelinemodel';
import { wrongName } from './tagging';

/** Lets somebody pick what a cell is: an existing stage, a new one, or another role; and set the stage's options. */
export class Picker {
  constructor(
    private readonly _actions: Actions,
    private readonly _trans: TranslationBundle
  ) {
    const list = 'stagebook-picker-list';
    this._input = element('input', {
      type: 'text',
      role: 'combobox',
      'aria-expanded': 'true',
      'aria-controls': list,
      'aria-autocomplete': 'list',
      'aria-label': _trans.__('Stage'),
      placeholder: _trans.__('Stage: pick one, or type a new name'),
      autocomplete: 'off',
      spellcheck: 'false'
    }) as HTMLInputElement;
    this._list = element('ul', {
      id: list,
      role: 'listbox',
      'aria-label': _trans.__('What the cell is')
    });
    this._hint = element('p', { class: 'sb-quiet', role: 'status', 'aria-live': 'polite' });
    this.node = element(
      'div',
      {
        class: 'stagebook stagebook-Picker',
        role: 'dialog',
        'aria-label': _trans.__('What the cell is in the pipeline'),
        'data-lm-suppress-shortcuts': 'true'
      },
      this._input,
      this._list,
      this._hint,
      this._more
    );
    this._input.addEventListener('input', () => {
      this._at = 0;
      this._draw();
    });
    this.node.addEventListener('keydown', event => {
      this._pressed(event);
    });
    this._outside = event => {
      if (event.target instanceof Node && !this.node.contains(event.target)) {
        this._close(false);
      }
    };
  }

  readonly node: HTMLElement;

  /** Open it for a cell, at an element of the page. */
  open(model: PipelineModel, cell: ICellModel, anchor: HTMLElement): void {
    this._close(false);
    this._model = model;
    this._cell = cell;
    this._anchor = anchor;
    this._input.value = '';
    this._at = 0;
    this._more.replaceChildren();
    if (model.watch.roleOf(cell)?.role === 'stage') {
      this._more.append(
        button(
          this._trans.__('Options …'),
          () => {
            this._showOptions();
          },
          { class: 'stagebook-Link' }
        )
      );
    }
    this._draw();
    document.body.append(this.node);
    this._place();
    document.addEventListener('pointerdown', this._outside, true);
    this._input.focus();
  }

  private _draw(): void {
    const model = this._model;
    if (model === null) {
      return;
    }
    const stages = stageNames(model.watch.roles ?? []);
    const kales = isKalesNotebook(
      model.watch.models().map(cell => tagsOf(cell.getMetadata('tags')))
    );
    this._offers = offers(stages, this._input.value, !kales);
    this._at = Math.min(this._at, Math.max(0, this._offers.length - 1));
    const rows = this._offers.map((offer, at) => this._row(offer, at, stages));
    this._list.replaceChildren(...rows);
    const active = rows[this._at];
    if (active === undefined) {
      this._input.removeAttribute('aria-activedescendant');
    } else {
      this._input.setAttribute('aria-activedescendant', active.id);
      active.scrollIntoView({ block: 'nearest' });
    }
    const odd = wrongName(this._input.value.trim()) === 'odd';
    this._hint.textContent = odd
      ? this._trans.__('A name starts with a letter and goes on with letters, digits, “_” or “-”.')
      : '';
  }

  private _row(offer: Offer, at: number, stages: readonly string[]): HTMLElement {
    const { choice } = offer;
    const stage = stages.indexOf(choice.name ?? '');
    const color =
      choice.role === 'none' || choice.name === undefined || stage < 0
        ? ''
        : `stagebook-mod-color${(stage % STAGE_COLORS) + 1}`;
    const row = element(
      'li',
      {
        id: `stagebook-picker-${at}`,
        role: 'option',
        'aria-selected': String(at === this._at),
        class: `stagebook-Offer stagebook-mod-${choice.role === 'none' ? 'exploration' : choice.role} ${color}`
      },
      element('span', { class: 'stagebook-Offer-text' }, this._words(offer)),
      this._isNow(offer) ? element('span', { class: 'sb-quiet' }, this._trans.__('now')) : null
    );
    // Not `click`: the field would lose the focus first.
    row.addEventListener('pointerdown', event => {
      event.preventDefault();
      this._take(offer);
    });
    return row;
  }

  private _words({ choice, isNew }: Offer): string {
    const trans = this._trans;
    switch (choice.role) {
      case 'stage':
        return isNew ? trans.__('New stage “%1”', choice.name ?? '') : (choice.name ?? '');
      case 'test':
        return trans.__('test of %1', choice.name ?? '');
      case 'setup':
        return trans.__('setup');
      case 'parameters':
        return trans.__('parameters');
      case 'none':
        return trans.__('none (exploration)');
    }
  }

  private _isNow({ choice }: Offer): boolean {
    const role =
      this._model !== null && this._cell !== null ? this._model.watch.roleOf(this._cell) : null;
    const now = role?.role === 'exploration' ? 'none' : role?.role;
    return now === choice.role && (role?.stage ?? undefined) === choice.name;
  }

  private _pressed(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this._close(true);
    } else if (
      event.target === this._input &&
      (event.key === 'ArrowDown' || event.key === 'ArrowUp')
    ) {
      const count = this._offers.length;
      this._at = count === 0 ? 0 : (this._at + (event.key === 'ArrowDown' ? 1 : count - 1)) % count;
      this._draw();
    } else if (event.target === this._input && event.key === 'Enter') {
      const offer = this._offers[this._at];
      if (offer !== undefined) {
        this._take(offer);
      }
    } else if (event.key === 'Tab') {
      this._keepFocus(event);
      return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _keepFocus(event: KeyboardEvent): void {
    const all = [
      ...this.node.querySelectorAll<HTMLElement>('input, select, button:not(:disabled)')
    ];
    const [first, last] = [all[0], all.at(-1)];
    if (event.shiftKey && document.activeElement === first) {
      event.preventDefault();
      last?.focus();
    } else if (!event.shiftKey && document.activeElement === last) {
      event.preventDefault();
      first?.focus();
    }
  }

  /** Make the cell, and those that are selected along with it, what was picked. */
  private _take({ choice }: Offer): void {
    const { _model: model, _cell: cell } = this;
    this._close(true);
    if (model === null || cell === null) {
      return;
    }
    const notebook = model.panel.content;
    const selected = notebook.widgets
      .filter(one => notebook.isSelectedOrActive(one) && one.model.type === 'code')
      .map(one => one.model);
    this._actions.tag(model, selected.includes(cell) ? selected : [cell], choice);
  }

  private _showOptions(): void {
    const { _model: model, _cell: cell } = this;
    if (model === null || cell === null) {
      return;
    }
    const form = new OptionsForm(model, cell, this._trans, edit => {
      this._close(true);
      if (edit !== null) {
        this._actions.edit(model, [edit]);
      }
    });
    this._list.hidden = this._input.hidden = this._hint.hidden = true;
    this._more.replaceChildren(form.node);
    this._place();
    form.focus();
  }

  /** Below the anchor, or above where there is no room. */
  private _place(): void {
    const at = this._anchor?.getBoundingClientRect() ?? new DOMRect();
    const { width, height } = this.node.getBoundingClientRect();
    const left = Math.max(4, Math.min(at.left, window.innerWidth - width - 8));
    const below = at.bottom + 4;
    const top =
      below + height > window.innerHeight
        ? Math.max(4, Math.min(at.top - height - 4, window.innerHeight - height - 4))
        : below;
    this.node.style.left = `${left}px`;
    this.node.style.top = `${top}px`;
  }

  /** Close it; the focus goes back to the notebook, if that is wanted. */
  private _close(focus: boolean): void {
    if (!this.node.isConnected) {
      return;
    }
    document.removeEventListener('pointerdown', this._outside, true);
    this.node.remove();
    this._list.hidden = this._input.hidden = this._hint.hidden = false;
    if (focus) {
      this._model?.panel.content.activate();
    }
  }

  private _model: PipelineModel | null = null;
  private _cell: ICellModel | null = null;
  private _anchor: HTMLElement | null = null;
  private _offers: readonly Offer[] = [];
  private _at = 0;
  private readonly _input: HTMLInputElement;
  private readonly _list: HTMLElement;
  private readonly _hint: HTMLElement;
  private readonly _more = element('div', { class: 'stagebook-Picker-more' });
  private readonly _outside: (event: PointerEvent) => void;
}
