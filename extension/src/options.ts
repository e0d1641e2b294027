/** A stage's options: what they are called, what they take, and what is wrong with a text for one. Pure. */

/** How an option's value is written. */
export type OptionKind = 'names' | 'seconds' | 'count' | 'switch' | 'text';

export interface OptionField {
  readonly name: string;
  readonly kind: OptionKind;
  /** What a text has to look like, where that can be said here; Python has the last word. */
  readonly pattern?: RegExp;
}

const WORD = '[\\p{L}_][\\p{L}\\p{N}_]*';

/** The options in the order in which the form asks for them. */
export const OPTION_FIELDS: readonly OptionField[] = [
  { name: 'needs', kind: 'names' },
  { name: 'metrics', kind: 'names' },
  { name: 'when', kind: 'text' },
  { name: 'foreach', kind: 'text', pattern: new RegExp(`^(?:${WORD}\\s+in\\s+)?${WORD}$`, 'u') },
  { name: 'retries', kind: 'count' },
  { name: 'timeout', kind: 'seconds' },
  { name: 'cache', kind: 'switch' },
  { name: 'gate', kind: 'text' },
  {
    name: 'model',
    kind: 'text',
    pattern: new RegExp(`^${WORD}(?:\\.${WORD})?(?:\\s+as\\s+[^/:\\s](?:[^/:]*[^/:\\s])?)?$`, 'u')
  },
  { name: 'reads', kind: 'names' },
  { name: 'writes', kind: 'names' },
  { name: 'features', kind: 'names' },
  { name: 'rows', kind: 'text', pattern: new RegExp(`^${WORD}$`, 'u') },
  { name: 'resources', kind: 'text', pattern: /^\s*\w+\s*:\s*[^,]+(?:,\s*\w+\s*:\s*[^,]+)*$/u }
];

/** What is in a field as the metadata holds it; the text for a field of what the metadata holds. */
export type OptionValue = string | number | boolean | string[];

/** Whether a text is none for this option. */
export function isWrong(field: OptionField, text: string): boolean {
  const value = text.trim();
  if (value === '') {
    return false; // the option is left out
  }
  switch (field.kind) {
    case 'seconds':
      return !(Number(value) > 0 && Number.isFinite(Number(value)));
    case 'count':
      return !/^\d+$/.test(value);
    case 'switch':
      return !/^(?:true|false|yes|no|on|off)$/i.test(value);
    case 'names':
      return false;
    case 'text':
      return field.pattern !== undefined && !field.pattern.test(value);
  }
}

/** The value that a text stands for in the cell's metadata. */
export function valueOf(field: OptionField, text: string): OptionValue {
  const value = text.trim();
  switch (field.kind) {
    case 'seconds':
    case 'count':
      return Number(value);
    case 'switch':
      return /^(?:true|yes|on)$/i.test(value);
    case 'names':
      return value
        .split(',')
        .map(word => word.trim())
        .filter(word => word !== '');
    case 'text':
      return value;
  }
}

/** What a field shows of what the metadata holds, or the `%%stage` line. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(String).join(', ');
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, amount]) => `${name}:${String(amount)}`)
      .join(',');
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
