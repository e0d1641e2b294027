import { describe, expect, test } from '@jest/globals';

import { type CellSketch, STAGE_COLORS, cellRoles, firstLine, tagsOf } from '../model';

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
  ['stage: load data ', 'stage load data 1'],
  ['%%stage load', 'stage load 1'],
  ['%%stage load --needs raw', 'stage load 1'],
  ['%%stage', 'unclear %%stage'],
  ['%%stage --needs raw', 'unclear %%stage'],
  ['test:load', 'test load'],
  ['imports', 'setup'],
  ['functions', 'setup'],
  ['pipeline-parameters', 'parameters'],
  ['pipeline-metrics', 'stage pipeline-metrics 1'],
  ['block:load', 'stage load 1'],
  ['step:load', 'stage load 1']
])('%s means %s', (written, meant) => {
  expect(told(cell(written))).toEqual([meant]);
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
  test('is unclear if they differ', () => {
    expect(told(cell('stage:a', '%%stage b'))).toEqual(['unclear stage:a %%stage b']);
    expect(told(cell('setup', 'stage:a'))).toEqual(['unclear setup stage:a']);
  });

  test('is clear if they agree', () => {
    expect(told(cell('stage:a', '%%stage a --retries 2'))).toEqual(['stage a 1']);
    expect(told(cell('imports', 'functions'))).toEqual(['setup']);
  });
});

describe("Kale's notebooks", () => {
  test('an untagged cell belongs with the one above it', () => {
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

  test('one word of Kale in another notebook carries nothing on', () => {
    expect(told(cell('imports'), cell(), cell('stage:a'), cell())).toEqual([
      'setup',
      'exploration',
      'stage a 1',
      'exploration'
    ]);
  });
});
