/** How a run stands: what its events add up to. Pure; Python's `widgets/standing.py` in TypeScript. */

import type { RunEvent } from './answers';
import { type Printed, printedAfter } from './printed';

/** How a stage stands in a run that goes on. */
export interface StageNow {
  readonly state: string;
  readonly reason: string;
  /** The cell that runs, the first being 1, and how many there are. */
  readonly position: number;
  readonly total: number;
  /** The number of the cell that runs, among the notebook's code cells. */
  readonly cell: number | null;
  /** Elements of a mapped stage that are over; null for others. */
  readonly done: number | null;
  /** When it was started, in milliseconds, on this clock. */
  readonly began: number | null;
  /** Seconds, once it is over. */
  readonly duration: number | null;
}

/** A run as far as it has come. */
export interface RunNow {
  /** Empty until it has begun. */
  readonly id: string;
  /** How it ended; empty before. */
  readonly state: string;
  /** Stages that have to do with it; the others are as they were. */
  readonly stages: ReadonlyMap<string, StageNow>;
  readonly notices: readonly string[];
  /** What has happened, for the log. */
  readonly log: readonly RunEvent[];
  /** What cells that run have printed so far. */
  readonly printed: Printed;
}

export const NO_RUN: RunNow = {
  id: '',
  state: '',
  stages: new Map(),
  notices: [],
  log: [],
  printed: new Map()
};

const WAITING: StageNow = {
  state: 'waiting',
  reason: '',
  position: 0,
  total: 0,
  cell: null,
  done: null,
  began: null,
  duration: null
};
const ENDS: Readonly<Record<string, string>> = {
  done: 'fresh',
  reused: 'fresh',
  skipped: 'skipped',
  failed: 'failed',
  interrupted: 'interrupted'
};
const LONGEST_LOG = 2000;

/** A run that is being started and will run these stages. */
export function waiting(stages: Iterable<string>): RunNow {
  return { ...NO_RUN, stages: new Map([...stages].map(name => [name, WAITING])) };
}

/** The stages that run. */
export function runningStages(run: RunNow): string[] {
  return [...run.stages].filter(([, stage]) => stage.state === 'running').map(([name]) => name);
}

/** How the run stands after one more event, at `time` in milliseconds. */
export function after(run: RunNow, event: RunEvent, time: number): RunNow {
  const printed = printedAfter(run.printed, event);
  if (event.event === 'CellPrinted') {
    return { ...run, printed };
  }
  const log = [...run.log.slice(1 - LONGEST_LOG), event];
  return standing({ ...run, log, printed }, event, time);
}

function standing(run: RunNow, event: RunEvent, time: number): RunNow {
  const { message = '', stage } = event;
  switch (event.event) {
    case 'RunStarted':
      return { ...run, id: event.run ?? '' };
    case 'RunFinished':
      return { ...run, state: event.state ?? '', stages: settled(run.stages) };
    case 'Notice':
      return run.notices.includes(message) ? run : { ...run, notices: [...run.notices, message] };
  }
  if (stage === undefined || stage === null) {
    return run;
  }
  const now = stageAfter(run.stages.get(stage) ?? null, event, time);
  const stages = new Map(run.stages);
  if (now === null) {
    stages.delete(stage);
  } else {
    stages.set(stage, now);
  }
  return { ...run, stages };
}

/** The stages of a run that is over: what has not come to its end is as it was before. */
export function settled(stages: ReadonlyMap<string, StageNow>): ReadonlyMap<string, StageNow> {
  return new Map([...stages].filter(([, { state }]) => state !== 'waiting' && state !== 'running'));
}

/** The stage after an event of its own; null where the run leaves it as it was. */
function stageAfter(stage: StageNow | null, event: RunEvent, time: number): StageNow | null {
  const running = stage?.state === 'running' ? stage : null;
  const begun = { ...WAITING, state: 'running', reason: event.reason ?? '', began: time };
  switch (event.event) {
    case 'StageStarted':
      return begun;
    case 'StageFinished': {
      const state = ENDS[event.state ?? ''];
      return state === undefined
        ? null
        : { ...WAITING, state, reason: event.reason ?? '', duration: event.duration ?? null };
    }
    case 'CellStarted': {
      const { position = 0, total = 0, number = null } = event;
      return running === null ? stage : { ...running, position, total, cell: number };
    }
    case 'ElementsFinished':
      return { ...(running ?? begun), done: event.done ?? 0, total: event.total ?? 0 };
    default:
      return stage;
  }
}
