import { expect, test } from '@jest/globals';

import type { MonitorAnswer } from '../answers';
import { barsOf, countOf, retrainedWord, verdictOf } from '../monitoring';
import real from './answers.json';
import { ENGLISH } from './english';

const answers: { monitors: { monitors: MonitorAnswer[] } } = real;
const [flights, spoiled] = answers.monitors.monitors as [MonitorAnswer, MonitorAnswer];

test('there is a bar for each window of which something is said', () => {
  const bars = barsOf(flights.windows, ENGLISH);
  expect(bars.map(bar => [bar.height, bar.hasDrifted, bar.retrained])).toEqual([
    [20, false, ''],
    [80, true, 'promoted']
  ]);
  expect(bars.map(bar => Math.round(10 * bar.x))).toEqual([75, 575]);
  expect(bars[1]?.said).toBe(
    '2026-10-19 to 2026-10-25: drift, in 80 % of the columns (temp, dest)'
  );
});

test('verdicts are words', () => {
  expect(flights.windows.map(one => verdictOf(one, ENGLISH))).toEqual([
    '12 rows are too few to say: 30 are needed.',
    'no drift, though in 20 % of the columns (temp)',
    'drift, in 80 % of the columns (temp, dest)'
  ]);
  const [, some] = flights.windows;
  expect(some === undefined ? '' : verdictOf({ ...some, share: 0 }, ENGLISH)).toBe('no drift');
  expect(['promoted', 'rejected', ''].map(one => retrainedWord(one, ENGLISH))).toEqual([
    'trained anew, and promoted',
    'trained anew, and not promoted: its gates are closed',
    ''
  ]);
});

test('a history that cannot be read has no bars', () => {
  expect(barsOf(spoiled.windows, ENGLISH)).toEqual([]);
  expect(spoiled.trouble).toContain('cannot be read');
});

test('the count tells of drift in the last windows', () => {
  expect(countOf(answers.monitors.monitors, ENGLISH)).toBe('2, drift in 1');
  expect(countOf([spoiled], ENGLISH)).toBe('1');
  expect(countOf([], ENGLISH)).toBe('');
});
