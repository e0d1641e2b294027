import type { TranslationBundle } from '@jupyterlab/translation';

import type { Actions } from '../actions';
import { element } from '../dom';
import type { PipelineModel } from '../pipelinemodel';

/** What the parts of the panel work with. */
export interface Tools {
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

/** A part of the panel. It draws itself anew where what it shows has changed. */
export interface Part {
  readonly node: HTMLElement;
  /** Show how things stand; null where no notebook is worked in. */
  show(model: PipelineModel | null): void;
}

/** Replaces what is in `place` only if `key` says that something has changed, and keeps the focus where it was. */
export class Drawn {
  constructor(private readonly _place: HTMLElement) {}

  draw(key: unknown, content: () => (Node | null)[]): void {
    const now = JSON.stringify(key);
    if (now === this._key) {
      return;
    }
    this._key = now;
    const focused = this._place.contains(document.activeElement)
      ? (document.activeElement?.getAttribute('data-key') ?? null)
      : null;
    this._place.replaceChildren(...content().filter(node => node !== null));
    if (focused !== null) {
      this._place.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  private _key = '';
}

/** A section with a head that folds it away. */
export class Folded {
  constructor(name: string, title: string, { open = false }: { open?: boolean } = {}) {
    this._title.textContent = title;
    const summary = element('summary', {}, this._title, this._count);
    this.node = element(
      'details',
      { class: 'stagebook-Section', 'data-section': name },
      summary,
      this.body
    );
    (this.node as HTMLDetailsElement).open = open;
  }

  readonly node: HTMLElement;
  readonly body = element('div', { class: 'stagebook-Section-body' });

  get isOpen(): boolean {
    return (this.node as HTMLDetailsElement).open;
  }

  set isOpen(open: boolean) {
    (this.node as HTMLDetailsElement).open = open;
  }

  /** What stands beside the title. */
  set count(text: string) {
    if (this._count.textContent !== text) {
      this._count.textContent = text;
    }
  }

  /** Do something when it is opened. */
  onOpen(does: () => void): void {
    this.node.addEventListener('toggle', () => {
      if (this.isOpen) {
        does();
      }
    });
  }

  private readonly _title = element('span', {});
  private readonly _count = element('span', { class: 'stagebook-Section-count' });
}
