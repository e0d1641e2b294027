import { expect, test } from '@jest/globals';

import { type CellRole, type Role } from '../model';
import { chipWording, stateWording } from '../wording';
import { ENGLISH } from './english';

function role(name: Role, more: Partial<CellRole> = {}): CellRole {
  return { role: name, stage: null, continued: false, color: null, claims: [], ...more };
}

test.each([
  [role('parameters'), 'parameters'],
  [role('setup'), 'setup'],
  [role('stage', { stage: 'load' }), 'load'],
  [role('stage', { stage: 'load', continued: true }), 'load (cont.)'],
  [role('test', { stage: 'load' }), 'test: load'],
  [role('exploration'), 'exploration'],
  [role('unclear', { claims: ['stage:a', '%%stage b'] }), 'unclear: stage:a, %%stage b'],
  [role('unclear', { stage: '', claims: ['%%stage'] }), 'unnamed stage'],
  [role('unclear', { stage: '2nd', claims: ['stage:2nd'] }), 'not a name: 2nd']
])('a chip for %j reads %j', (cell, text) => {
  expect(chipWording(cell, ENGLISH).text).toBe(text);
});

test('every role is read aloud and explained in one sentence', () => {
  const roles: readonly Role[] = ['parameters', 'setup', 'stage', 'test', 'exploration', 'unclear'];
  for (const name of roles) {
    const { label, title } = chipWording(role(name, { stage: 'load' }), ENGLISH);
    expect(label).toMatch(/^Pipeline role/);
    expect(title).toMatch(/^[A-Z“].*[^.]\.$/);
  }
});

const STALE = {
  name: 'load',
  state: 'stale',
  below: 'stale',
  said: 'load: stale',
  reason: 'cell 4 was edited'
};

test('the first cell of a stage says how it stands, and its tooltip why', () => {
  expect(stateWording(role('stage', { stage: 'load' }), STALE, null, ENGLISH)).toEqual({
    state: 'stale',
    sign: '⟳',
    text: 'stale',
    label: 'Stage load: stale',
    title: 'cell 4 was edited\nShow stage “load” in the panel.'
  });
});

test('a continued cell says it only where the stage runs or has failed', () => {
  const cell = role('stage', { stage: 'load', continued: true });
  expect(stateWording(cell, STALE, null, ENGLISH)).toBeNull();
  expect(stateWording(cell, { ...STALE, state: 'failed' }, 'failed', ENGLISH)?.text).toBe(
    'failed here'
  );
  expect(stateWording(role('test', { stage: 'load' }), STALE, null, ENGLISH)).toBeNull();
});
