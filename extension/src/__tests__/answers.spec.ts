import { expect, test } from '@jest/globals';

import type {
  Analysis,
  ExporterAnswer,
  FiguresAnswer,
  JobsAnswer,
  JobEnd,
  RunDetail,
  RunEvent,
  RunsAnswer,
  Section,
  SuggestionAnswer,
  ValuesAnswer,
  WrittenAnswer
} from '../answers';
import { logLine } from '../logwords';
import { fieldKind, givenOf, wrongValue } from '../parameters';
import { NO_RUN, after } from '../runnow';
import { columnsOf, matching, sorted, valueAt } from '../runtable';
import { downstream, shownStages, summary, toRun, upstream } from '../standing';
import real from './answers.json';
import { ENGLISH } from './english';

// Real answers of the server, which Python's tests hold to their description; `jlpm lint:check` holds our types to them.
const answers: {
  analyse: Analysis;
  analyse_wrong: Analysis;
  analyse_without_stages: Analysis;
  suggest: SuggestionAnswer;
  runs: RunsAnswer;
  run: RunDetail;
  compare: { sections: Section[] };
  jobs: JobsAnswer;
  events: RunEvent[];
  end: JobEnd;
  values: ValuesAnswer;
  figures: FiguresAnswer;
  exporters: { exporters: ExporterAnswer[] };
  written: WrittenAnswer;
} = real;

const { analyse, events, runs } = answers;

test('stages are shown as they stand', () => {
  const shown = shownStages(analyse, NO_RUN, 0, ENGLISH);
  expect(shown.map(one => one.name)).toEqual(analyse.stages.map(one => one.name));
  for (const { name, state, below, said } of shown) {
    expect(below.startsWith(state)).toBe(true);
    expect(said).toBe(`${name}: ${below}`);
  }
  const counted = summary(shown, ENGLISH).map(([, text]) => Number.parseInt(text, 10));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(analyse.stages.length);
});

test('a notebook without stages is no error', () => {
  const { analyse_without_stages: none } = answers;
  expect(shownStages(none, NO_RUN, 0, ENGLISH)).toEqual([]);
  expect([none.picture, none.run_all, toRun(none)]).toEqual(['', '', []]);
});

test('what is wrong has a place, and perhaps what mends it', () => {
  const { findings } = answers.analyse_wrong;
  expect(findings.length).toBeGreaterThan(0);
  for (const finding of findings) {
    expect(['error', 'warning']).toContain(finding.severity);
    expect(finding.fixes.every(fix => fix.edits.length > 0)).toBe(true);
  }
});

test('what depends on what is followed both ways', () => {
  for (const { source, target } of analyse.edges) {
    expect(downstream(analyse, source)).toContain(target);
    expect(upstream(analyse, target)).toContain(source);
  }
});

test('the events of a run add up to its end', () => {
  const run = events.reduce((now, event) => after(now, event, 0), NO_RUN);
  expect(run.id).not.toBe('');
  expect(run.state).toBe(answers.end.state);
  expect(
    [...run.stages.values()].some(one => one.state === 'running' || one.state === 'waiting')
  ).toBe(false);
  const lines = events.map(event => logLine(event, ENGLISH)).filter(line => line !== null);
  expect(lines.at(-1)?.text).toContain('The run is over');
  expect(lines.every(line => line.text !== '')).toBe(true);
});

test('runs are sorted by any column, and filtered by any word', () => {
  const columns = columnsOf(runs);
  columns.forEach((_column, column) => {
    const up = sorted(runs.runs, columns, { column, descending: false });
    expect(up.map(run => run.id).sort()).toEqual(runs.runs.map(run => run.id).sort());
  });
  const took = columns.findIndex(column => column.kind === 'took');
  const durations = sorted(runs.runs, columns, { column: took, descending: true }).map(run =>
    Number(valueAt(run, columns[took] ?? { kind: 'took', name: '', isNumber: true }))
  );
  expect(durations).toEqual([...durations].sort((a, b) => b - a));
  expect(matching(runs.runs, runs.runs[0]?.id ?? '')).toHaveLength(1);
  expect(matching(runs.runs, 'no such word')).toEqual([]);
});

test('a parameter that is as in the notebook is not given', () => {
  const { parameters } = analyse;
  const same = new Map(parameters.map(one => [one.name, one.text]));
  expect(givenOf(parameters, same)).toEqual({});
  for (const parameter of parameters) {
    expect(wrongValue(parameter, parameter.text)).toBeNull();
    if (fieldKind(parameter) === 'whole') {
      expect(wrongValue(parameter, '1.5')).toBe('whole');
      expect(givenOf(parameters, new Map([[parameter.name, '17']]))).toEqual({
        [parameter.name]: '17'
      });
    }
  }
});
