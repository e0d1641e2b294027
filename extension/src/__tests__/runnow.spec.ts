import { expect, test } from '@jest/globals';

import type { RunEvent } from '../answers';
import { after, runningStages, waiting } from '../runnow';

const EVENTS: RunEvent[] = [
  { event: 'RunStarted', run: 'r1' },
  { event: 'StageStarted', stage: 'load', reason: 'it has not run yet' },
  { event: 'CellStarted', stage: 'load', number: 2, position: 1, total: 2 },
  { event: 'CellFinished', stage: 'load', number: 2, duration: 0.1 },
  { event: 'CellStarted', stage: 'load', number: 4, position: 2, total: 2 }
];

const seen = (...more: RunEvent[]) =>
  [...EVENTS, ...more].reduce((run, event) => after(run, event, 1000), waiting(['load', 'train']));

test('a stage runs from cell to cell, while the next one waits', () => {
  const run = seen();
  expect(run.id).toBe('r1');
  expect(run.stages.get('load')).toMatchObject({
    state: 'running',
    reason: 'it has not run yet',
    position: 2,
    total: 2,
    cell: 4,
    began: 1000
  });
  expect(run.stages.get('train')?.state).toBe('waiting');
  expect(runningStages(run)).toEqual(['load']);
  expect(run.log).toEqual(EVENTS);
});

test.each([
  ['done', 'fresh'],
  ['reused', 'fresh'],
  ['failed', 'failed'],
  ['skipped', 'skipped'],
  ['interrupted', 'interrupted']
])('a stage that is %s is shown as %s', (state, shown) => {
  const run = seen({ event: 'StageFinished', stage: 'load', state, reason: 'why', duration: 2 });
  expect(run.stages.get('load')).toMatchObject({
    state: shown,
    reason: 'why',
    duration: 2,
    began: null
  });
});

test('what was not run, and what still waits at the end, is as it was before', () => {
  const run = seen(
    { event: 'StageFinished', stage: 'load', state: 'failed', reason: 'why', duration: 2 },
    {
      event: 'StageFinished',
      stage: 'report',
      state: 'not run',
      reason: '`load` failed',
      duration: 0
    },
    { event: 'RunFinished', run: 'r1', state: 'failed' }
  );
  expect([...run.stages.keys()]).toEqual(['load']);
  expect(run.state).toBe('failed');
});

test('elements of a mapped stage are counted', () => {
  const run = seen({ event: 'ElementsFinished', stage: 'score', done: 3, total: 9 });
  expect(run.stages.get('score')).toMatchObject({ state: 'running', done: 3, total: 9 });
});

test('a notice is told once, and an event that nobody knows changes nothing but the log', () => {
  const notice = { event: 'Notice', message: 'stages share a kernel', stage: null };
  const run = seen(notice, notice, { event: 'News', stage: 'load' });
  expect(run.notices).toEqual(['stages share a kernel']);
  expect(run.stages.get('load')?.state).toBe('running');
});
