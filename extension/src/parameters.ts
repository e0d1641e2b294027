/** A parameter's field: of which kind it is, and what is wrong with what is in it. Pure; Python has the last word. */

import type { ParameterAnswer } from './answers';

export type FieldKind = 'secret' | 'choice' | 'switch' | 'whole' | 'number' | 'text' | 'python';

/** Which kind of field fits a parameter's values. */
export function fieldKind(parameter: ParameterAnswer): FieldKind {
  if (parameter.secret) {
    return 'secret';
  }
  if (!parameter.literal || parameter.default === null) {
    return 'python';
  }
  if (parameter.choices.length > 0) {
    return 'choice';
  }
  const kinds: Readonly<Record<string, FieldKind>> = {
    bool: 'switch',
    int: 'whole',
    float: 'number',
    str: 'text'
  };
  return kinds[parameter.kind ?? ''] ?? 'python';
}

/** What is wrong with a text: it is no number of this kind, or out of bounds. */
export type Wrong = 'whole' | 'number' | 'bounds' | null;

/** What is wrong with a text for a parameter; an empty one stands for the notebook's default. */
export function wrongValue(parameter: ParameterAnswer, text: string): Wrong {
  const kind = fieldKind(parameter);
  const value = text.trim();
  if ((kind !== 'whole' && kind !== 'number') || value === '' || value === 'None') {
    return null;
  }
  if (kind === 'whole' && !/^[+-]?\d+$/.test(value)) {
    return 'whole';
  }
  if (!Number.isFinite(Number(value))) {
    return 'number';
  }
  return within(parameter, Number(value)) ? null : 'bounds';
}

/** What a run is given: what differs from the notebook's own. */
export function givenOf(
  parameters: readonly ParameterAnswer[],
  texts: ReadonlyMap<string, string>
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const parameter of parameters) {
    const text = texts.get(parameter.name);
    if (text !== undefined && !parameter.secret && text.trim() !== '' && text !== parameter.text) {
      given[parameter.name] = text;
    }
  }
  return given;
}

function within({ low, high, low_open, high_open }: ParameterAnswer, value: number): boolean {
  const isLow = low !== null && (low_open ? value <= low : value < low);
  const isHigh = high !== null && (high_open ? value >= high : value > high);
  return !isLow && !isHigh;
}
