import { expect, test } from '@jest/globals';

import { type Choice, chosen, wrongName } from '../tagging';

const LOAD: Choice = { role: 'stage', name: 'load' };

const PICKED: [string[], Choice, string[]][] = [
  [[], LOAD, ['stage:load']],
  [['hide-input'], LOAD, ['hide-input', 'stage:load']],
  [['stage:a', 'hide-input'], LOAD, ['hide-input', 'stage:load']],
  [['setup'], LOAD, ['stage:load']],
  [['stage:a'], { role: 'setup' }, ['setup']],
  [['stage:a'], { role: 'parameters' }, ['parameters']],
  [['stage:a'], { role: 'test', name: 'a' }, ['test:a']],
  [['stage:a', 'x'], { role: 'none' }, ['x']],
  [['stage:a', 'setup'], LOAD, ['stage:load']]
];

test.each(PICKED)('tags %j, with %j picked, are %j', (tags, choice, result) => {
  expect(chosen({ tags, source: 'x' }, choice, [tags])).toEqual({ tags: result, source: 'x' });
});

test('a `%%stage` line is edited in place, and its options stay', () => {
  const cell = { tags: ['stage:a', 'x'], source: '%%stage a retries=2\nx = 1' };
  expect(chosen(cell, LOAD, [cell.tags])).toEqual({
    tags: ['x'],
    source: '%%stage load retries=2\nx = 1'
  });
  expect(chosen(cell, { role: 'none' }, [cell.tags])).toEqual({ tags: ['x'], source: 'x = 1' });
  expect(chosen(cell, { role: 'setup' }, [cell.tags])).toEqual({
    tags: ['x', 'setup'],
    source: 'x = 1'
  });
});

const KALES: [Choice, string[]][] = [
  [LOAD, ['block:load']],
  [{ role: 'setup' }, ['imports']],
  [{ role: 'parameters' }, ['pipeline-parameters']],
  [{ role: 'none' }, ['skip']]
];

test.each(KALES)("in Kale's notebook %j is written in its words", (choice, tags) => {
  const cell = { tags: ['block:a', 'prev:b'], source: 'x' };
  expect(chosen(cell, choice, [['imports'], cell.tags]).tags).toEqual(['prev:b', ...tags]);
});

test.each([
  ['load', null],
  ['été_2-b', null],
  ['', 'empty'],
  ['2nd', 'odd'],
  ['a b', 'odd']
])('the name %j is %j', (name, wrong) => {
  expect(wrongName(name)).toBe(wrong);
});
