/** The runs as rows of a table: filtered and sorted. Pure. */

import type { RunAnswer, RunsAnswer } from './answers';

/** What a column holds of each run: `started`, `state`, `took`, `ran`, a parameter, or a metric. */
export interface Column {
  readonly kind: 'started' | 'state' | 'took' | 'ran' | 'parameter' | 'metric';
  readonly name: string;
  readonly isNumber: boolean;
}

/** By which column rows are sorted, and which way. */
export interface Sorting {
  readonly column: number;
  readonly descending: boolean;
}

/** The columns that there are. */
export function columnsOf(runs: RunsAnswer): Column[] {
  const column = (kind: Column['kind'], name: string = kind, isNumber = false) => ({
    kind,
    name,
    isNumber
  });
  return [
    column('started'),
    column('state'),
    column('took', 'took', true),
    column('ran', 'ran', true),
    ...runs.parameters.map(name => column('parameter', name)),
    ...runs.metrics.map(name => column('metric', name, true))
  ];
}

/** What a run has in a column: a number where they are sorted as such; null for nothing. */
export function valueAt(run: RunAnswer, column: Column): string | number | null {
  switch (column.kind) {
    case 'started':
      return run.started;
    case 'state':
      return run.state;
    case 'took':
      return run.duration;
    case 'ran':
      return run.ran;
    case 'metric':
      return run.metrics[column.name] ?? null;
    case 'parameter': {
      const value = run.parameters[column.name];
      if (value === undefined) {
        return null;
      }
      return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
    }
  }
}

/** The runs in which every word is found somewhere. */
export function matching(runs: readonly RunAnswer[], text: string): RunAnswer[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter(run => {
    const said = [
      run.id,
      run.state,
      ...Object.entries(run.parameters).map(([name, value]) => `${name}=${String(value)}`),
      ...Object.entries(run.metrics).map(([name, value]) => `${name}=${String(value)}`)
    ]
      .join(' ')
      .toLowerCase();
    return words.every(word => said.includes(word));
  });
}

/** The runs in the order of a column; those that have nothing there come last. */
export function sorted(
  runs: readonly RunAnswer[],
  columns: readonly Column[],
  by: Sorting
): RunAnswer[] {
  const column = columns[by.column];
  if (column === undefined) {
    return [...runs];
  }
  const sign = by.descending ? -1 : 1;
  return [...runs].sort((one, other) => {
    const [a, b] = [valueAt(one, column), valueAt(other, column)];
    if (a === null || b === null) {
      return Number(a === null) - Number(b === null);
    }
    const order =
      typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return sign * order;
  });
}
