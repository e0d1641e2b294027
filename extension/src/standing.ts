/** How stages stand, in words. Pure: the translator is handed in. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Analysis, StageAnswer } from './answers';
import type { RunNow, StageNow } from './runnow';

/** A stage as it is shown: in the graph, in the list, on chips. */
export interface ShownStage {
  readonly name: string;
  readonly state: string;
  /** The line below its name. */
  readonly below: string;
  /** What a screen reader says. */
  readonly said: string;
  readonly reason: string;
  /** Seconds that it has been running for. */
  readonly elapsed?: number;
}

/** States of stages that a run has nothing to do for. */
const SETTLED: readonly string[] = ['fresh', 'skipped'];

const ORDER = [
  'failed',
  'running',
  'waiting',
  'stale',
  'never run',
  'interrupted',
  'skipped',
  'fresh'
];

/** Signs for states, so that no colour stands alone. */
export const SIGNS: Readonly<Record<string, string>> = {
  fresh: '✓',
  done: '✓',
  reused: '↺',
  stale: '⟳',
  'never run': '○',
  failed: '✗',
  rejected: '✗',
  interrupted: '■',
  skipped: '⤼',
  running: '▶',
  waiting: '…'
};

/** The word for a state. */
export function stateWord(state: string, trans: TranslationBundle): string {
  const words: Readonly<Record<string, string>> = {
    fresh: trans.__('fresh'),
    done: trans.__('done'),
    reused: trans.__('reused'),
    stale: trans.__('stale'),
    'never run': trans.__('never run'),
    failed: trans.__('failed'),
    rejected: trans.__('rejected'),
    interrupted: trans.__('interrupted'),
    skipped: trans.__('skipped'),
    running: trans.__('running'),
    waiting: trans.__('waiting'),
    'not run': trans.__('not run')
  };
  return words[state] ?? state;
}

/** A duration with its unit; empty for none. */
export function seconds(duration: number | null | undefined, trans: TranslationBundle): string {
  return duration === null || duration === undefined ? '' : trans.__('%1 s', duration.toFixed(1));
}

/** All stages: as they stand in the run that goes on, else as they stood. */
export function shownStages(
  analysis: Analysis,
  run: RunNow,
  time: number,
  trans: TranslationBundle
): ShownStage[] {
  return analysis.stages.map(stage =>
    shown(stage, run.stages.get(stage.name) ?? null, time, trans)
  );
}

function shown(
  stage: StageAnswer,
  now: StageNow | null,
  time: number,
  trans: TranslationBundle
): ShownStage {
  const state = now?.state ?? stage.state;
  const beside =
    now === null
      ? state === 'fresh' || state === 'reused'
        ? seconds(stage.duration, trans)
        : ''
      : (progressWords(now, trans) ?? seconds(now.duration, trans));
  const below = [stateWord(state, trans), beside].filter(text => text !== '').join(' · ');
  const texts = {
    name: stage.name,
    state,
    below,
    said: trans.__('%1: %2', stage.name, below),
    reason: now?.reason ?? stage.reason
  };
  const began = now?.began ?? null;
  return began === null ? texts : { ...texts, elapsed: Math.max(0, (time - began) / 1000) };
}

function progressWords(now: StageNow, trans: TranslationBundle): string | null {
  if (now.state !== 'running') {
    return null;
  }
  if (now.done !== null) {
    return trans.__('%1 of %2 done', now.done, now.total);
  }
  return now.position === 0 ? '' : trans.__('cell %1 of %2', now.position, now.total);
}

/** How many stages stand how: pairs of the state, and what is said of it; what asks for attention first. */
export function summary(
  stages: readonly ShownStage[],
  trans: TranslationBundle
): [string, string][] {
  const counts = ORDER.map(
    state => [state, stages.filter(one => one.state === state).length] as const
  );
  return counts
    .filter(([, count]) => count > 0)
    .map(([state, count]) => [state, trans.__('%1 %2', count, stateWord(state, trans))]);
}

/** The stages that a run of all would run. */
export function toRun(analysis: Analysis | null): string[] {
  return (analysis?.stages ?? []).filter(one => !SETTLED.includes(one.state)).map(one => one.name);
}

/** The stages that a stage needs, near and far. */
export function upstream(analysis: Analysis, stage: string): string[] {
  return reached(stage, name =>
    analysis.edges.filter(edge => edge.target === name).map(edge => edge.source)
  );
}

/** The stages that need a stage, near and far. */
export function downstream(analysis: Analysis, stage: string): string[] {
  return reached(stage, name =>
    analysis.edges.filter(edge => edge.source === name).map(edge => edge.target)
  );
}

function reached(from: string, next: (name: string) => readonly string[]): string[] {
  const found = new Set<string>();
  const left = [...next(from)];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name !== from && !found.has(name)) {
      found.add(name);
      left.push(...next(name));
    }
  }
  return [...found];
}
