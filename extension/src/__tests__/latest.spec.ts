import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

import { Latest, PAUSE } from '../latest';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

function asked() {
  const answers: ((text: string) => void)[] = [];
  const given: string[] = [];
  const failed: unknown[] = [];
  const latest = new Latest<string>(
    () => new Promise(resolve => answers.push(resolve)),
    text => given.push(text),
    error => failed.push(error)
  );
  const settle = () => jest.advanceTimersByTimeAsync(0);
  return { latest, answers, given, failed, settle };
}

test('changes that follow each other ask once', async () => {
  const { latest, answers, given, settle } = asked();
  for (let typed = 0; typed < 3; typed++) {
    latest.request();
    jest.advanceTimersByTime(PAUSE / 2);
  }
  expect(answers).toHaveLength(0);
  jest.advanceTimersByTime(PAUSE);
  expect(answers).toHaveLength(1);
  answers[0]?.('first');
  await settle();
  expect(given).toEqual(['first']);
});

test('an answer that is out of date is dropped, and asked for again', async () => {
  const { latest, answers, given, settle } = asked();
  latest.request();
  jest.advanceTimersByTime(PAUSE);
  latest.request();
  jest.advanceTimersByTime(PAUSE);
  expect(answers).toHaveLength(1); // never two at a time
  answers[0]?.('old');
  await settle();
  jest.advanceTimersByTime(PAUSE);
  answers[1]?.('new');
  await settle();
  expect(given).toEqual(['new']);
});

test('after a stop, nothing is given', async () => {
  const { latest, answers, given, failed, settle } = asked();
  latest.request();
  jest.advanceTimersByTime(PAUSE);
  latest.stop();
  answers[0]?.('late');
  await settle();
  expect([given, failed]).toEqual([[], []]);
});
