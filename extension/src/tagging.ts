/** What picking a role for a cell writes: its tags, and its `%%stage` line where it has one. Pure. */

import { isKales, isKalesNotebook } from './kale';
import { magicLine, nameOf, withMagicLine } from './magicline';
import { isStageName } from './model';

/** What somebody picks for a cell. */
export interface Choice {
  readonly role: 'stage' | 'test' | 'setup' | 'parameters' | 'none';
  /** The stage, for `stage` and `test`. */
  readonly name?: string;
}

/** A cell as far as it says what it is. */
export interface Spelled {
  readonly tags: readonly string[];
  readonly source: string;
}

const OURS = /^(?:setup|parameters)$|^(?:stage|test):/;

/**
 * The cell as it is once `choice` is made: other tags stay, and a stage that a `%%stage` line names is renamed there.
 *
 * @param allTags the tags of all cells: in a notebook tagged for Kale, its words are written.
 */
export function chosen(
  cell: Spelled,
  choice: Choice,
  allTags: readonly (readonly string[])[]
): Spelled {
  const line = magicLine(cell.source);
  const { name = '' } = choice;
  if (line !== null && choice.role === 'stage') {
    const rest = line.words.slice(nameOf(line.words) === '' ? 0 : 1);
    return { tags: without(cell.tags, OURS), source: withMagicLine(line, [name, ...rest]) };
  }
  const source = line === null ? cell.source : withMagicLine(line, []);
  const kales = isKalesNotebook(allTags);
  const tag = kales ? kaleTag(choice) : ownTag(choice);
  const kept = kales ? cell.tags.filter(one => !isKales(one)) : without(cell.tags, OURS);
  return { tags: tag === null ? kept : [...kept, tag], source };
}

/** Why a stage cannot have this name, as far as that can be seen here: it is `empty`, or `odd`. */
export function wrongName(name: string): 'empty' | 'odd' | null {
  if (name === '') {
    return 'empty';
  }
  return isStageName(name) ? null : 'odd';
}

function ownTag({ role, name = '' }: Choice): string | null {
  if (role === 'none') {
    return null;
  }
  return role === 'stage' || role === 'test' ? `${role}:${name}` : role;
}

function kaleTag(choice: Choice): string | null {
  switch (choice.role) {
    case 'stage':
      return `block:${choice.name ?? ''}`;
    case 'setup':
      return 'imports';
    case 'parameters':
      return 'pipeline-parameters';
    case 'none':
      return 'skip'; // an untagged cell would go on with what is above it
    case 'test':
      return ownTag(choice);
  }
}

function without(tags: readonly string[], pattern: RegExp): string[] {
  return tags.filter(tag => !pattern.test(tag));
}
