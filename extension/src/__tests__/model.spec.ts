import { describe, expect, test } from '@jest/globals';

import { type CellSketch, STAGE_COLORS, cellRoles, firstLine, tagsOf } from '../model';
import roles from './roles.json';

/** A code cell with these tags, or with this first line if it starts with `%%`. */
function cell(...tagsOrLine: string[]): CellSketch {
  return {
    isCode: true,
    tags: tagsOrLine.filter(word => !word.startsWith('%%')),
    firstLine: tagsOrLine.find(word => word.startsWith('%%')) ?? ''
  };
}

const PROSE: CellSketch = { isCode: false, tags: ['stage:ignored'], firstLine: '%%stage ignored' };

/** Roles in one line each: `stage load 1`, with `...` for a continued one. */
function told(...cells: CellSketch[]): (string | null)[] | null {
  return (
    cellRoles(cells)?.map(one =>
      one === null
        ? null
        : [one.role, one.stage, one.color, one.continued ? '...' : null, ...one.claims]
            .filter(part => part !== null)
            .join(' ')
    ) ?? null
  );
}

// The same table is read by tests/lab/test_roles.py, so that a chip says what a run does.
test.each(roles)('roles are as in Python: $roles', ({ cells, roles }) => {
  const sketches = cells.map(([tags, source]) => ({
    isCode: true,
    tags: tags as string[],
    firstLine: firstLine(source as string)
  }));
  const told = cellRoles(sketches)?.map(one =>
    one === null || one.role === 'unclear'
      ? (one?.role ?? null)
      : [one.role, one.stage ?? []].flat().join(' ')
  );
  expect(told).toEqual(roles);
});

describe('the first line of a cell', () => {
  test.each([
    ['', ''],
    [' \n\t\n', ''],
    ['x = 1\ny = 2', 'x = 1'],
    ['\n  \n  %%stage load  \nx = 1', '%%stage load'],
    ['\r\n%%stage load\r\nx', '%%stage load']
  ])('of %j is %j', (source, line) => {
    expect(firstLine(source)).toBe(line);
  });
});

test.each([
  [undefined, []],
  ['stage:a', []],
  [{ 0: 'stage:a' }, []],
  [['stage:a', 3, null], ['stage:a']]
])('tags of metadata %j are %j', (metadata, tags) => {
  expect(tagsOf(metadata)).toEqual(tags);
});

describe('a notebook without a role is left alone', () => {
  test.each([
    ['no cells', []],
    ['no tags', [cell(), cell()]],
    ['tags of others', [cell('hide-input'), cell('stages:a'), cell('raises-exception')]],
    ['prose only', [PROSE, cell()]],
    ["Kale's skip alone", [cell('skip'), cell()]],
    ['another magic', [cell('%%stagecoach x'), cell('%%time')]]
  ])('%s', (_name, cells) => {
    expect(cellRoles(cells)).toBeNull();
  });
});

test.each([
  ['parameters', 'parameters'],
  ['setup', 'setup'],
  ['stage:load', 'stage load 1'],
  ['stage: load ', 'stage load 1'],
  ['stage:été_2-b', 'stage été_2-b 1'],
  ['stage:', 'unclear  stage:'],
  ['stage:2nd', 'unclear 2nd stage:2nd'],
  ['stage:load data', 'unclear load data stage:load data'],
  ['%%stage load', 'stage load 1'],
  ['%%stage\tload needs=raw', 'stage load 1'],
  ['%%stage "load" needs=raw', 'stage load 1'],
  ['%%stage', 'unclear  %%stage'],
  ['%%stage needs=raw', 'unclear  %%stage'],
  ['test:load', 'test load'],
  ['pipeline-metrics', 'stage pipeline-metrics 1'],
  ['imports', 'setup'],
  ['functions', 'setup'],
  ['pipeline-parameters', 'parameters'],
  ['block:load', 'stage load 1'],
  ['step:load', 'stage load 1']
])('%s means %s', (written, meant) => {
  expect(told(cell(written))).toEqual([meant]);
});

test('what Papermill injected plays no part of its own', () => {
  expect(told(cell('parameters'), cell('injected-parameters'))).toEqual(['parameters', null]);
});

test('cells that share a name are one stage, continued after the first', () => {
  expect(
    told(cell('stage:load'), PROSE, cell('stage:train'), cell('%%stage load'), cell())
  ).toEqual(['stage load 1', null, 'stage train 2', 'stage load 1 ...', 'exploration']);
});

test('a test has the colour of the stage it tests, wherever it stands', () => {
  expect(told(cell('test:b'), cell('stage:a'), cell('stage:b'), cell('test:c'))).toEqual([
    'test b 2',
    'stage a 1',
    'stage b 2',
    'test c'
  ]);
});

test('colours are used again after the last', () => {
  const cells = Array.from({ length: STAGE_COLORS + 1 }, (_, index) => cell(`stage:s${index}`));
  const colors = cellRoles(cells)?.map(one => one?.color);
  expect(colors).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1]);
});

describe('a cell that says two things', () => {
  test('is unclear if they differ, and colours no stage', () => {
    expect(told(cell('stage:a', '%%stage b'), cell('stage:c'))).toEqual([
      'unclear stage:a %%stage b',
      'stage c 1'
    ]);
    expect(told(cell('setup', 'stage:a'))).toEqual(['unclear setup stage:a']);
  });

  test('is clear if they agree', () => {
    expect(told(cell('stage:a', '%%stage a retries=2'))).toEqual(['stage a 1']);
  });
});

describe("Kale's notebooks", () => {
  test('an untagged cell goes on with what is tagged above it', () => {
    expect(
      told(cell(), cell('imports'), cell(), cell('block:load'), PROSE, cell(), cell('prev:load'))
    ).toEqual([
      'exploration',
      'setup',
      'setup',
      'stage load 1',
      null,
      'stage load 1 ...',
      'stage load 1 ...'
    ]);
  });

  test('a skipped cell is exploration and does not end the step', () => {
    expect(told(cell('step:load'), cell('skip'), cell())).toEqual([
      'stage load 1',
      'exploration',
      'stage load 1 ...'
    ]);
  });

  test("Kale's words mean nothing beside Stagebook's", () => {
    expect(told(cell('imports'), cell('stage:a'), cell('block:b'), cell())).toEqual([
      'exploration',
      'stage a 1',
      'exploration',
      'exploration'
    ]);
  });
});
