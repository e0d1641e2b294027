import { expect, test } from '@jest/globals';

import type { RunEvent } from '../answers';
import { onScreen, printedAfter } from '../printed';
import { after, NO_RUN } from '../runnow';

const said = (stage: string, number: number, text: string): RunEvent => ({
  event: 'CellPrinted',
  stage,
  number,
  text
});
const all = (...events: RunEvent[]) => events.reduce(printedAfter, new Map<string, string>());

test.each([
  ['a\nb\n', 'a\nb\n'],
  ['10%\r20%\r', '20%\r'],
  ['10%\r20%\r\ndone\n', '20%\ndone\n'],
  ['\u001b[31mred\u001b[0m\n', 'red\n'],
  ['', '']
])('%j is shown as %j', (text, shown) => {
  expect(onScreen(text)).toBe(shown);
});

test('a progress bar goes on in its line, whatever pieces it comes in', () => {
  const printed = all(said('train', 3, 'fits\n10%\r'), said('train', 3, '20%\r'));
  expect(printed.get('train 3')).toBe('fits\n20%\r');
});

test('a cell that is over has outputs instead, and so has a stage that failed in it', () => {
  const both = [said('train', 3, 'a\n'), said('trainer', 4, 'b\n')];
  expect(all(...both, { event: 'CellFinished', stage: 'train', number: 3 })).toEqual(
    new Map([['trainer 4', 'b\n']])
  );
  expect(all(...both, { event: 'StageFinished', stage: 'train', state: 'failed' })).toEqual(
    new Map([['trainer 4', 'b\n']])
  );
  expect(all(...both, { event: 'RunFinished' }).size).toBe(0);
});

test('what is printed is no line of the log', () => {
  const run = after(NO_RUN, said('train', 3, 'a\n'), 0);
  expect(run.log).toEqual([]);
  expect(run.printed.get('train 3')).toBe('a\n');
});
