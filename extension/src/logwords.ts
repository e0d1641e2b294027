/** A run's events as lines of a log. Pure: the translator is handed in. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunEvent } from './answers';
import { seconds, stateWord } from './standing';

export interface LogLine {
  readonly text: string;
  /** Whether it tells of something that failed. */
  readonly failed: boolean;
  /** The cell whose output belongs below the line: its stage and number. */
  readonly cell: readonly [string, number] | null;
}

/** What an event is in the log; null for one that says nothing new. */
export function logLine(event: RunEvent, trans: TranslationBundle): LogLine | null {
  const line = (text: string, failed = false): LogLine => ({ text, failed, cell: null });
  const stage = event.stage ?? '';
  const took = seconds(event.duration, trans);
  switch (event.event) {
    case 'RunStarted':
      return line(trans.__('Run %1', event.run ?? ''));
    case 'StageStarted':
      return line(trans.__('%1 starts: %2', stage, event.reason ?? ''));
    case 'CellFinished': {
      const number = event.number ?? 0;
      return {
        ...line(trans.__('%1 · cell %2 · %3', stage, number, took)),
        cell: [stage, number]
      };
    }
    case 'ElementsFinished':
      return line(
        trans.__('%1 · %2 of %3 elements done', stage, event.done ?? 0, event.total ?? 0)
      );
    case 'StageFinished':
      return stageLine(event, stage, took, trans);
    case 'Notice':
      return line(event.message ?? '');
    case 'RunFinished':
      return line(
        trans.__('The run is over: %1', stateWord(event.state ?? '', trans)),
        event.state === 'failed'
      );
    default:
      return null;
  }
}

function stageLine(
  event: RunEvent,
  stage: string,
  took: string,
  trans: TranslationBundle
): LogLine {
  const state = stateWord(event.state ?? '', trans);
  const failed = event.state === 'failed';
  const why =
    failed || event.state === 'not run' || event.state === 'skipped' ? (event.reason ?? '') : '';
  const text = [
    trans.__('%1: %2', stage, state),
    event.state === 'done' || failed ? took : '',
    why
  ];
  const number = event.failure?.cell ?? 0;
  return {
    text: text.filter(part => part !== '').join(' · '),
    failed,
    cell: failed && number > 0 ? [stage, number] : null
  };
}
