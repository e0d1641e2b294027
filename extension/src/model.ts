/**
 * What part a cell plays in the notebook's pipeline, from its tags and the first line of its source.
 *
 * This is what Python's `book/cells.py` decides, as far as it shows while one types: nothing here reads code.
 */

import { inOurWords } from './kale';

export type Role = 'parameters' | 'setup' | 'stage' | 'test' | 'exploration' | 'unclear';

/** A cell as far as roles go. */
export interface CellSketch {
  readonly isCode: boolean;
  readonly tags: readonly string[];
  /** The first line that is not blank. */
  readonly firstLine: string;
}

/** The part a code cell plays. */
export interface CellRole {
  readonly role: Role;
  /** The stage that the cell belongs to, or that it tests; for an unclear cell, the one name that cannot be one. */
  readonly stage: string | null;
  /** Whether an earlier cell of the notebook belongs to the same stage. */
  readonly continued: boolean;
  /** The stage's colour, from 1 to `STAGE_COLORS`, by order of first appearance; null without a stage. */
  readonly color: number | null;
  /** What an unclear cell says of itself, as written. */
  readonly claims: readonly string[];
}

/** How many stage colours there are before they are used again. */
export const STAGE_COLORS = 8;

interface Claim {
  readonly role: Role;
  readonly stage: string | null;
  readonly written: string;
}

// What Papermill adds on a run. Its values reach the pipeline as parameters; the cell plays no part of its own.
const INJECTED = 'injected-parameters';
const NAMED_TAG = /^(stage|test):(.*)$/s;
const STAGE_MAGIC = /^%%stage(?![\w?])[ \t]*(.*)$/;
const FIRST_WORD = /^(?:"([^"]*)"|'([^']*)'|(\S+))/;
const NAME = /^[\p{L}_][\p{L}\p{N}_-]*$/u;
const EXPLORATION: CellRole = {
  role: 'exploration',
  stage: null,
  continued: false,
  color: null,
  claims: []
};

/** The first line of a cell's source that is not blank, trimmed; empty for an empty cell. */
export function firstLine(source: string): string {
  return /^[^\S\n]*(\S.*)$/m.exec(source)?.[1]?.trimEnd() ?? '';
}

/** A cell's tags, whatever its metadata holds. */
export function tagsOf(metadata: unknown): string[] {
  return Array.isArray(metadata) ? metadata.filter(tag => typeof tag === 'string') : [];
}

/**
 * The role of every cell, in notebook order, null for those that have none to play (prose, say); or null if no cell
 * plays a part in a pipeline, so that an ordinary notebook is left alone.
 */
export function cellRoles(cells: readonly CellSketch[]): (CellRole | null)[] | null {
  const codes = cells.filter(cell => cell.isCode && !cell.tags.includes(INJECTED));
  const tags = inOurWords(codes.map(cell => cell.tags));
  const roles = colored(codes.map((cell, index) => roleOf(tags[index] ?? [], cell.firstLine)));
  if (roles.every(({ role }) => role === 'exploration')) {
    return null;
  }
  const roleOfCell = new Map(codes.map((cell, index) => [cell, roles[index]]));
  return cells.map(cell => roleOfCell.get(cell) ?? null);
}

/** Whether a stage can have this name. */
export function isStageName(name: string): boolean {
  return NAME.test(name);
}

/** The names of a notebook's stages, in order of first appearance; a stage that is only tested is none. */
export function stageNames(roles: readonly (CellRole | null)[]): string[] {
  const named = roles.flatMap(one =>
    one?.role === 'stage' && one.stage !== null ? [one.stage] : []
  );
  return [...new Set(named)];
}

/** A cell's role, taken by itself. */
function roleOf(tags: readonly string[], line: string): CellRole {
  const claims = differentClaims([...tags.map(claimOfTag), claimOfMagic(line)]);
  const [first] = claims;
  if (first === undefined) {
    return EXPLORATION;
  }
  if (claims.length > 1) {
    return { ...EXPLORATION, role: 'unclear', claims: claims.map(({ written }) => written) };
  }
  const { role, stage, written } = first;
  if (stage !== null && !NAME.test(stage)) {
    return { ...EXPLORATION, role: 'unclear', stage, claims: [written] };
  }
  return { ...EXPLORATION, role, stage };
}

/** The claims there are; one thing said twice, by tag and by magic, counts once. */
function differentClaims(claims: readonly (Claim | null)[]): Claim[] {
  const different = new Map<string, Claim>();
  for (const claim of claims) {
    if (claim !== null) {
      different.set(JSON.stringify([claim.role, claim.stage]), claim);
    }
  }
  return [...different.values()];
}

function claimOfTag(tag: string): Claim | null {
  if (tag === 'parameters' || tag === 'setup') {
    return { role: tag, stage: null, written: tag };
  }
  const [, kind, name] = NAMED_TAG.exec(tag) ?? [];
  if (name === undefined) {
    return null;
  }
  return { role: kind === 'test' ? 'test' : 'stage', stage: name.trim(), written: tag };
}

function claimOfMagic(line: string): Claim | null {
  const magic = STAGE_MAGIC.exec(line);
  if (magic === null) {
    return null;
  }
  const [, double, single, bare] = FIRST_WORD.exec(magic[1] ?? '') ?? [];
  const word = double ?? single ?? bare ?? '';
  const name = word.includes('=') ? '' : word; // an option, so there is no name
  return { role: 'stage', stage: name, written: name === '' ? '%%stage' : `%%stage ${name}` };
}

/** The roles with what depends on their order: a stage's colour, and whether it began further up. */
function colored(roles: readonly CellRole[]): CellRole[] {
  const stages = [...new Set(roles.flatMap(one => (one.role === 'stage' ? [one.stage] : [])))];
  const seen = new Set<string | null>();
  return roles.map(one => {
    const order = one.role === 'unclear' || one.stage === null ? -1 : stages.indexOf(one.stage);
    const continued = one.role === 'stage' && seen.has(one.stage);
    if (one.role === 'stage') {
      seen.add(one.stage);
    }
    return { ...one, continued, color: order < 0 ? null : (order % STAGE_COLORS) + 1 };
  });
}
