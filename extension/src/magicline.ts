/** The `%%stage` line of a cell: its words, and how it is written anew. Python splits it as a shell does. */

/** The first line that is not blank, if it is a `%%stage` line: what stands before it, its words, and what follows. */
export interface MagicLine {
  readonly before: string;
  readonly words: readonly string[];
  readonly after: string;
}

const MAGIC = /^(\s*)%%stage(?![\p{L}\p{N}_?])[ \t]*([^\n]*)/u;
const PLAIN = /^[\p{L}\p{N}_@%+=:,./-]+$/u;

/** The `%%stage` line of a cell's source; null where there is none. */
export function magicLine(source: string): MagicLine | null {
  const match = MAGIC.exec(source);
  if (match === null) {
    return null;
  }
  return {
    before: match[1] ?? '',
    words: wordsOf(match[2] ?? ''),
    after: source.slice(match[0].length)
  };
}

/** The source with its `%%stage` line made of these words; without a line where there are none. */
export function withMagicLine(line: MagicLine, words: readonly string[]): string {
  if (words.length === 0) {
    return line.after.replace(/^\r?\n/, '');
  }
  return `${line.before}%%stage ${words.map(quoted).join(' ')}${line.after}`;
}

/** The options among the words of a `%%stage` line. */
export function optionsOfWords(words: readonly string[]): Record<string, string> {
  const pairs = words.slice(nameOf(words) === '' ? 0 : 1).filter(word => word.includes('='));
  return Object.fromEntries(
    pairs.map(word => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
  );
}

/** The stage that the words of a `%%stage` line name; empty where they name none. */
export function nameOf(words: readonly string[]): string {
  const first = words[0] ?? '';
  return first.includes('=') ? '' : first;
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  // A word is made of parts: in single quotes as it is, in double quotes or bare with backslashes.
  const word = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\]|['"\\])+/g;
  for (const [text] of line.matchAll(word)) {
    words.push(
      text.replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
        (
          _all,
          single: string | undefined,
          double: string | undefined,
          escaped: string | undefined
        ) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? ''
      )
    );
  }
  return words;
}

function quoted(word: string): string {
  if (PLAIN.test(word)) {
    return word;
  }
  const equals = /^[\p{L}_]+=/u.exec(word)?.[0] ?? '';
  const value = word.slice(equals.length);
  return value.includes('"') && !value.includes("'")
    ? `${equals}'${value}'`
    : `${equals}"${value.replace(/(["\\])/g, '\\$1')}"`;
}
