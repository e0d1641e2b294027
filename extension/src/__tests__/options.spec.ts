import { expect, test } from '@jest/globals';

import { OPTION_FIELDS, isWrong, textOf, valueOf } from '../options';

function field(name: string) {
  const found = OPTION_FIELDS.find(one => one.name === name);
  if (found === undefined) {
    throw new Error(name);
  }
  return found;
}

test.each([
  ['retries', '2', 2],
  ['timeout', '1.5', 1.5],
  ['cache', 'off', false],
  ['needs', ' a, b,', ['a', 'b']],
  ['foreach', 'row in rows', 'row in rows'],
  ['model', 'model.predict_proba as churn', 'model.predict_proba as churn'],
  ['resources', 'cores:2,memory:4GB', 'cores:2,memory:4GB'],
  ['when', 'depth > 3', 'depth > 3']
])('%s takes %j', (name, text, value) => {
  expect(isWrong(field(name), text)).toBe(false);
  expect(valueOf(field(name), text)).toEqual(value);
  expect(valueOf(field(name), textOf(value))).toEqual(value);
});

test.each([
  ['retries', '-1'],
  ['retries', '1.5'],
  ['timeout', '0'],
  ['timeout', 'soon'],
  ['cache', 'maybe'],
  ['foreach', 'rows of table'],
  ['model', 'a b'],
  ['resources', 'two cores'],
  ['rows', '2nd']
])('%s does not take %j', (name, text) => {
  expect(isWrong(field(name), text)).toBe(true);
});

test('an empty text leaves the option out', () => {
  expect(OPTION_FIELDS.filter(one => isWrong(one, ' '))).toEqual([]);
});
