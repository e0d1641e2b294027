import { expect, test } from '@jest/globals';

import { defaultFolder, optionValue, writeLabel, writtenText } from '../exporting';
import { ENGLISH } from './english';

test.each([
  ['flights.ipynb', 'flights-python/'],
  ['a/b/more.of it.ipynb', 'more.of it-python/']
])('%s is exported to %s', (notebook, folder) => {
  expect(defaultFolder(notebook, 'python')).toBe(folder);
});

test('a number is a number, and an empty one is none', () => {
  const option = { name: 'width', kind: 'number', default: null, help: '', choices: [] };
  expect(optionValue(option, '88')).toBe(88);
  expect(optionValue(option, ' ')).toBeNull();
  expect(optionValue({ ...option, kind: 'text' }, '88')).toBe('88');
});

test('the button says how many files it writes', () => {
  expect([1, 2].map(count => writeLabel(count, ENGLISH))).toEqual([
    'Write 1 file',
    'Write 2 files'
  ]);
});

test('what was written is told, and what was not is left out', () => {
  const files = [
    { path: 'flights.py', state: 'changed' },
    { path: 'same.py', state: 'unchanged' },
    { path: 'old.py', state: 'removed' }
  ];
  const text = writtenText({ folder: 'demo/flights-python', files }, ENGLISH);
  expect(text).toBe('Written to demo/flights-python: flights.py.');
  expect(writtenText({ folder: '', files: [] }, ENGLISH)).toContain('Nothing has changed');
});
