import { describe, expect, test } from '@jest/globals';

import { magicLine, nameOf, optionsOfWords, withMagicLine } from '../magicline';

describe('a `%%stage` line', () => {
  test.each([
    ['%%stage load\nx = 1', ['load']],
    ['\n  %%stage load retries=2  \nx', ['load', 'retries=2']],
    ['%%stage "load" when=\'a > 1\'', ['load', 'when=a > 1']],
    ['%%stage load when="depth > \\"3\\""', ['load', 'when=depth > "3"']],
    ['%%stage load gate=auc\\ >=\\ 0.8', ['load', 'gate=auc >= 0.8']],
    ['%%stage', []]
  ])('%j has the words %j', (source, words) => {
    expect(magicLine(source)?.words).toEqual(words);
  });

  test.each(['', 'x = 1\n%%stage load', '%%stagecoach x', '# %%stage x'])('%j has none', source => {
    expect(magicLine(source)).toBeNull();
  });

  test.each([
    ['%%stage a b=1\nx', ['c', 'b=1'], '%%stage c b=1\nx'],
    ['\n%%stage a\nx', ['a', 'when=d > 3'], '\n%%stage a when="d > 3"\nx'],
    ['%%stage a\nx', ['a', 'when=d == "y z"'], '%%stage a when=\'d == "y z"\'\nx'],
    ['%%stage a\nx\ny', [], 'x\ny'],
    ['%%stage a', [], '']
  ])('of %j becomes %j', (source, words, result) => {
    const line = magicLine(source);
    expect(line && withMagicLine(line, words)).toBe(result);
  });

  test.each([
    ['plain', 'a b'],
    ['quotes', 'say "it\'s"'],
    ['backslash', 'a\\b c']
  ])('is read as it was written: %s', (_name, value) => {
    const line = magicLine('%%stage a');
    const written = line && withMagicLine(line, ['a', `when=${value}`]);
    expect(optionsOfWords(magicLine(written ?? '')?.words ?? [])).toEqual({ when: value });
  });
});

test('the name is the first word, unless that is an option', () => {
  expect(nameOf(['load', 'retries=2'])).toBe('load');
  expect(nameOf(['retries=2'])).toBe('');
  expect(optionsOfWords(['load', 'retries=2', 'odd'])).toEqual({ retries: '2' });
});
