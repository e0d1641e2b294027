import type { ICellModel } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';

import { button, element } from './dom';
import type { CellEdit } from './edits';
import { magicLine, optionsOfWords, withMagicLine } from './magicline';
import { OPTION_FIELDS, type OptionField, isWrong, textOf, valueOf } from './options';
import type { PipelineModel } from './pipelinemodel';

/** Asks for a stage's options: they are written where the cell says its stage, in its metadata or its `%%stage` line. */
export class OptionsForm {
  constructor(
    private readonly _model: PipelineModel,
    private readonly _cell: ICellModel,
    private readonly _trans: TranslationBundle,
    done: (edit: CellEdit | null) => void
  ) {
    const line = magicLine(_cell.sharedModel.getSource());
    const inMetadata = (_cell.getMetadata('stagebook') ?? {}) as Readonly<Record<string, unknown>>;
    const now = { ...inMetadata, ...optionsOfWords(line?.words ?? []) };
    this._rest = Object.fromEntries(
      Object.entries(now).filter(([name]) => !OPTION_FIELDS.some(field => field.name === name))
    );
    const stage = _model.watch.roleOf(_cell)?.stage ?? '';
    const save = button(_trans.__('Save'), () => undefined, { class: 'sb-button sb-main' });
    save.type = 'submit';
    const cancel = button(_trans.__('Cancel'), () => {
      done(null);
    });
    this.node = element(
      'form',
      { class: 'stagebook-Options', 'aria-label': _trans.__('Options of stage %1', stage) },
      element('strong', {}, _trans.__('Options of stage %1', stage)),
      element(
        'div',
        { class: 'stagebook-Form' },
        ...OPTION_FIELDS.map(field => this._row(field, now[field.name]))
      ),
      element('div', { class: 'sb-buttons' }, save, cancel)
    );
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      if (this._check()) {
        done(this._edit());
      }
    });
  }

  readonly node: HTMLElement;

  focus(): void {
    this.node.querySelector('input')?.focus();
  }

  private _row(field: OptionField, value: unknown): HTMLElement {
    const id = `stagebook-option-${field.name}`;
    const wrong = element('p', { class: 'stagebook-Wrong', id: `${id}-wrong`, role: 'alert' });
    const elsewhere = this._elsewhere(field.name);
    const attributes = {
      id,
      type: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: elsewhere ?? this._takes(field),
      'aria-describedby': `${id}-wrong`
    };
    const input = element('input', attributes) as HTMLInputElement;
    input.value = textOf(value);
    input.disabled = elsewhere !== null && input.value === '';
    input.addEventListener('change', () => {
      this._check();
    });
    this._inputs.set(field, { input, wrong });
    return element(
      'div',
      { class: 'stagebook-Field' },
      element('label', { for: id, title: this._about(field.name) }, field.name),
      input,
      wrong
    );
  }

  /** That another cell of the stage has this option already: two that differ would be an error. */
  private _elsewhere(option: string): string | null {
    const { watch } = this._model;
    const stage = watch.roleOf(this._cell)?.stage;
    const models = watch.models();
    const other = models.findIndex(
      (model, index) =>
        model !== this._cell &&
        watch.roles?.[index]?.role === 'stage' &&
        watch.roles[index].stage === stage &&
        option in
          {
            ...(model.getMetadata('stagebook') as object | undefined),
            ...optionsOfWords(magicLine(model.sharedModel.getSource())?.words ?? [])
          }
    );
    if (other < 0) {
      return null;
    }
    const number = models.slice(0, other + 1).filter(model => model.type === 'code').length;
    return this._trans.__('set in cell %1', number);
  }

  private _check(): boolean {
    let fine = true;
    for (const [field, { input, wrong }] of this._inputs) {
      const isBad = isWrong(field, input.value);
      wrong.textContent = isBad
        ? this._trans.__('%1 takes %2.', field.name, this._takes(field))
        : '';
      input.setAttribute('aria-invalid', String(isBad));
      fine &&= !isBad;
    }
    return fine;
  }

  private _edit(): CellEdit {
    const fields = [...this._inputs].filter(([, { input }]) => input.value.trim() !== '');
    const source = this._cell.sharedModel.getSource();
    const line = magicLine(source);
    if (line === null) {
      const values = fields.map(
        ([field, { input }]) => [field.name, valueOf(field, input.value)] as const
      );
      return { cell: this._cell, options: { ...this._rest, ...Object.fromEntries(values) } };
    }
    const name = line.words[0] ?? '';
    const rest = Object.entries(this._rest).map(([key, value]) => `${key}=${textOf(value)}`);
    const words = fields.map(([field, { input }]) => {
      const text = input.value.trim();
      return `${field.name}=${field.kind === 'names' ? text.replace(/\s*,\s*/g, ',') : text}`;
    });
    return {
      cell: this._cell,
      source: withMagicLine(line, [name, ...words, ...rest]),
      options: {}
    };
  }

  private _takes(field: OptionField): string {
    const trans = this._trans;
    switch (field.kind) {
      case 'names':
        return trans.__('names, separated by commas');
      case 'seconds':
        return trans.__('a number of seconds above 0');
      case 'count':
        return trans.__('a whole number from 0');
      case 'switch':
        return trans.__('true or false');
      case 'text':
        return this._about(field.name);
    }
  }

  private _about(name: string): string {
    const trans = this._trans;
    const about: Readonly<Record<string, string>> = {
      needs: trans.__('stages that have to run before'),
      metrics: trans.__('names of the numbers that the stage records'),
      when: trans.__('a condition, as in `depth > 3`'),
      foreach: trans.__('a list, or `item in list`'),
      retries: trans.__('how often it is tried again'),
      timeout: trans.__('seconds that a cell may take'),
      cache: trans.__('whether results are reused'),
      gate: trans.__('a condition on metrics, as in `auc >= 0.8`'),
      model: trans.__('a value, as in `model.predict_proba as churn`'),
      reads: trans.__('files that it reads'),
      writes: trans.__('files that it writes'),
      features: trans.__('names of the columns that the model takes'),
      rows: trans.__('the name of the frame that the model is made from'),
      resources: trans.__('amounts, as in `cores:2,memory:4GB`')
    };
    return about[name] ?? '';
  }

  private readonly _rest: Readonly<Record<string, unknown>>;
  private readonly _inputs = new Map<
    OptionField,
    { input: HTMLInputElement; wrong: HTMLElement }
  >();
}
