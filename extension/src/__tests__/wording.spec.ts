import { expect, test } from '@jest/globals';

import { type CellRole, type Role } from '../model';
import { chipWording } from '../wording';

/** A translator that leaves English as it is. */
const ENGLISH = {
  __: (text: string, ...args: string[]) =>
    text.replace(/%(\d)/g, (_match, place: string) => args[Number(place) - 1] ?? ''),
  _n: String,
  _p: String,
  _np: String,
  gettext: String,
  ngettext: String,
  pgettext: String,
  npgettext: String,
  dcnpgettext: String
};

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
