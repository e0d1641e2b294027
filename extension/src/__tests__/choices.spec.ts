import { expect, test } from '@jest/globals';

import { offers } from '../choices';

const STAGES = ['load', 'loader', 'train'];

/** The offers, a word each: `load`, `+new`, `test:load`, `setup`. */
function told(typed: string, withTests = true): string[] {
  return offers(STAGES, typed, withTests).map(({ choice: { role, name = '' }, isNew }) =>
    role === 'stage' ? (isNew ? `+${name}` : name) : [role, name].filter(Boolean).join(':')
  );
}

test('existing stages come first, then the other roles', () => {
  expect(told('')).toEqual([
    ...STAGES,
    'setup',
    'parameters',
    'test:load',
    'test:loader',
    'test:train',
    'none'
  ]);
});

test('what is typed filters them, and can be a new stage', () => {
  expect(told('loa')).toEqual(['load', 'loader', '+loa', 'test:load', 'test:loader']);
  expect(told('loader')).toEqual(['loader', 'test:loader']);
  expect(told('clean')).toEqual(['+clean']);
  expect(told('setup')).toEqual(['setup', '+setup']);
  expect(told('none')).toEqual(['none', '+none']);
  expect(told('no good')).toEqual([]);
});

test('what is typed out stands first', () => {
  expect(told('train')[0]).toBe('train');
  expect(offers(['loader', 'load'], 'load')[0]?.choice.name).toBe('load');
});

test('without tests there are none', () => {
  expect(told('', false)).toEqual([...STAGES, 'setup', 'parameters', 'none']);
});
