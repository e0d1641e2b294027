import type { ParameterAnswer } from '../answers';
import { button, element } from '../dom';
import { fieldKind, givenOf, wrongValue } from '../parameters';
import type { PipelineModel } from '../pipelinemodel';
import { Drawn, Folded, type Part, type Tools } from './part';

/** A field for each parameter; what is in them holds for the runs that are started from here on. */
export class Form implements Part {
  constructor(private readonly _tools: Tools) {
    this._section = new Folded('parameters', _tools.trans.__('Parameters'));
    this._drawn = new Drawn(this._section.body);
    this.node = this._section.node;
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    const { trans } = this._tools;
    const parameters = model?.hasRoles === true ? (model.analysis?.parameters ?? []) : [];
    this.node.hidden = parameters.length === 0;
    const changed = Object.keys(model?.given.values ?? {}).length;
    this._section.count = changed === 0 ? '' : trans.__('%1 changed', changed);
    // Not with `given`: what somebody types into is not drawn anew.
    this._drawn.draw([model?.path, parameters], () =>
      model === null ? [] : this._fields(model, parameters)
    );
  }

  private _fields(model: PipelineModel, parameters: readonly ParameterAnswer[]): HTMLElement[] {
    const { trans } = this._tools;
    const given = model.given.values;
    const texts = new Map(parameters.map(one => [one.name, given[one.name] ?? one.text]));
    const fields = parameters.map(parameter => this._field(model, parameters, parameter, texts));
    const reset = button(
      trans.__('As in the notebook'),
      () => {
        model.given.secrets = {};
        model.given.wrong.clear();
        model.give({});
        this._drawn.draw(null, () => []);
        this.show(model);
      },
      { 'data-key': 'reset' }
    );
    return [
      element('div', { class: 'stagebook-Form' }, ...fields),
      element('div', { class: 'sb-buttons' }, reset)
    ];
  }

  private _field(
    model: PipelineModel,
    parameters: readonly ParameterAnswer[],
    parameter: ParameterAnswer,
    texts: Map<string, string>
  ): HTMLElement {
    const { name } = parameter;
    const { given } = model;
    const id = `stagebook-parameter-${name}`;
    const wrong = element('p', { class: 'stagebook-Wrong', id: `${id}-wrong`, role: 'alert' });
    const input = this._input(parameter, id, texts.get(name) ?? '');
    input.addEventListener('change', () => {
      const text = input.value;
      const words = this._wrongWords(parameter, text);
      wrong.textContent = words;
      input.setAttribute('aria-invalid', String(words !== ''));
      if (words !== '') {
        given.wrong.add(name);
        return;
      }
      given.wrong.delete(name);
      if (parameter.secret) {
        given.secrets =
          text === '' ? without(given.secrets, name) : { ...given.secrets, [name]: text };
      } else {
        texts.set(name, text);
      }
      model.give(givenOf(parameters, texts));
    });
    const about = parameter.help || parameter.bounds; // the comment says what the bounds are
    return element(
      'div',
      { class: 'stagebook-Field' },
      element('label', { for: id }, name),
      input,
      about === '' ? null : element('p', { class: 'sb-quiet', id: `${id}-about` }, about),
      wrong
    );
  }

  private _input(
    parameter: ParameterAnswer,
    id: string,
    text: string
  ): HTMLInputElement | HTMLSelectElement {
    const { trans } = this._tools;
    const said = { id, 'data-key': id, 'aria-describedby': `${id}-about ${id}-wrong` };
    const kind = fieldKind(parameter);
    if (kind === 'choice' || kind === 'switch') {
      const values = kind === 'switch' ? ['True', 'False'] : parameter.choices.map(String);
      const options = values.map(value => {
        const option = element('option', { value }, value) as HTMLOptionElement;
        option.selected = value === text;
        return option;
      });
      return element('select', said, ...options) as HTMLSelectElement;
    }
    const placeholder = parameter.secret
      ? parameter.known
        ? trans.__('from the server’s environment')
        : trans.__('as in the notebook')
      : parameter.text || trans.__('as in the notebook');
    const attributes = {
      ...said,
      placeholder,
      type: parameter.secret ? 'password' : 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      ...(kind === 'whole' && { inputmode: 'numeric' }),
      ...(kind === 'number' && { inputmode: 'decimal' })
    };
    const input = element('input', attributes) as HTMLInputElement;
    input.value = parameter.secret ? '' : text;
    return input;
  }

  private _wrongWords(parameter: ParameterAnswer, text: string): string {
    const { trans } = this._tools;
    switch (wrongValue(parameter, text)) {
      case 'whole':
        return trans.__('%1 takes a whole number.', parameter.name);
      case 'number':
        return trans.__('%1 takes a number.', parameter.name);
      case 'bounds':
        return trans.__('%1 takes %2.', parameter.name, parameter.bounds);
      case null:
        return '';
    }
  }

  private readonly _section: Folded;
  private readonly _drawn: Drawn;
}

function without(values: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
}
