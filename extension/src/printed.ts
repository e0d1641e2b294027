/** What cells print while they run. Pure. */

import type { RunEvent } from './answers';

/** What each cell that runs has printed so far, by its stage and number. */
export type Printed = ReadonlyMap<string, string>;

/** How a cell is named among them. */
export function cellKey(stage: string, number: number): string {
  return `${stage} ${number}`;
}

/** The last letters that are kept of a cell. */
const MOST = 64_000;
const COLOURS = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** What is printed after one more event: a cell that is over has outputs instead. */
export function printedAfter(printed: Printed, event: RunEvent): Printed {
  const stage = event.stage ?? '';
  switch (event.event) {
    case 'CellPrinted': {
      const key = cellKey(stage, event.number ?? 0);
      const text = onScreen((printed.get(key) ?? '') + (event.text ?? ''));
      return new Map([...printed, [key, text.slice(-MOST)]]);
    }
    case 'CellFinished':
      return without(printed, key => key === cellKey(stage, event.number ?? 0));
    case 'StageFinished':
      return without(printed, key => key.startsWith(cellKey(stage, 0).slice(0, -1)));
    case 'RunFinished':
      return new Map();
    default:
      return printed;
  }
}

function without(printed: Printed, leaves: (key: string) => boolean): Printed {
  return new Map([...printed].filter(([key]) => !leaves(key)));
}

/** A text as a terminal shows it, without colours: after a carriage return a line begins again. */
export function onScreen(text: string): string {
  return text
    .replace(COLOURS, '')
    .split('\n')
    .map((line, number, lines) => {
      const again = number === lines.length - 1 && line.endsWith('\r') ? '\r' : '';
      return (line.split('\r').filter(Boolean).at(-1) ?? '') + again;
    })
    .join('\n');
}
