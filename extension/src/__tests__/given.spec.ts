import { expect, test } from '@jest/globals';

import { Given, type Shelf } from '../given';

class Memory implements Shelf {
  readonly kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, text: string): void {
    this.kept.set(key, text);
  }
  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

const at = (shelf: Shelf | null, path = 'a.ipynb') => new Given(shelf, () => path);

test('a page that is loaded anew has the values again, another notebook and another tab have not', () => {
  const shelf = new Memory();
  at(shelf).values = { depth: '7' };
  expect(at(shelf).values).toEqual({ depth: '7' });
  expect(at(shelf, 'b.ipynb').values).toEqual({});
  expect(at(new Memory()).values).toEqual({});
});

test('secrets are kept nowhere', () => {
  const shelf = new Memory();
  const given = at(shelf);
  given.secrets = { token: 'tulips' };
  given.values = { depth: '7' };
  expect([...shelf.kept.values()].join()).not.toContain('tulips');
  expect(at(shelf).secrets).toEqual({});
});

test('as in the notebook again, nothing is kept', () => {
  const shelf = new Memory();
  const given = at(shelf);
  given.values = { depth: '7' };
  given.values = {};
  expect(shelf.kept.size).toBe(0);
});

test('a parameter that the notebook has no more is forgotten', () => {
  const shelf = new Memory();
  const given = at(shelf);
  given.values = { depth: '7', gone: '1' };
  expect(given.keep(['depth', 'rate'])).toBe(true);
  expect(given.keep(['depth', 'rate'])).toBe(false);
  expect(at(shelf).values).toEqual({ depth: '7' });
});

test.each([null, 'no JSON', 'null', '[1]', '{"depth": 7}'])('%s on the shelf is no value', text => {
  const shelf = new Memory();
  if (text !== null) {
    shelf.setItem('stagebook:given:a.ipynb', text);
  }
  expect(at(shelf).values).toEqual({});
});

test('without a shelf, values are given all the same', () => {
  const given = at(null);
  given.values = { depth: '7' };
  expect(given.values).toEqual({ depth: '7' });
});
