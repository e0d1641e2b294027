/**
 * What part a cell plays in the notebook's pipeline, from its tags and the first line of its source.
 *
 * Only what a reader sees at a glance is decided here. What the code needs and makes is Python's to say.
 */

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
  /** The stage that the cell belongs to, or that it tests. */
  readonly stage: string | null;
  /** Whether an earlier cell of the notebook belongs to the same stage. */
  readonly continued: boolean;
  /** The stage's colour, from 1 to `STAGE_COLORS`, by order of first appearance; null without a stage. */
  readonly color: number | null;
  /** What the cell says of itself, when that is not one thing: the tags or first line as written. */
  readonly claims: readonly string[];
}

/** How many stage colours there are before they are used again. */
export const STAGE_COLORS = 8;

interface Claim {
  readonly role: Role;
  readonly stage: string | null;
  readonly written: string;
}

const ROLE_OF_TAG = new Map<string, Role>([
  ['parameters', 'parameters'],
  ['setup', 'setup'],
  // Kale's words.
  ['pipeline-parameters', 'parameters'],
  ['imports', 'setup'],
  ['functions', 'setup'],
  ['pipeline-metrics', 'stage'],
  ['skip', 'exploration']
]);

const NAMED_TAG = /^(stage|test|block|step):\s*(.+?)\s*$/;
const KALE_STEP = /^(block|step):\s*\S/;
const STAGE_MAGIC = /^%%stage(?:\s+(.*))?$/;

/** The first line of a cell's source that is not blank, trimmed; empty for an empty cell. */
export function firstLine(source: string): string {
  return /^[^\S\n]*(\S.*)$/m.exec(source)?.[1]?.trimEnd() ?? '';
}

/** A notebook's tags, whatever its metadata holds. */
export function tagsOf(metadata: unknown): string[] {
  return Array.isArray(metadata) ? metadata.filter(tag => typeof tag === 'string') : [];
}

/**
 * The role of every cell, in notebook order, null for those that hold no code; or null if no cell plays a part in a
 * pipeline, so that an ordinary notebook is left alone.
 */
export function cellRoles(cells: readonly CellSketch[]): (CellRole | null)[] | null {
  const claims = settleClaims(cells);
  if (!claims.some(claim => claim?.some(({ role }) => role !== 'exploration'))) {
    return null;
  }
  const colors = stageColors(claims);
  const seen = new Set<string>();
  return claims.map(claim => {
    if (claim === null) {
      return null;
    }
    const [first] = claim;
    if (first === undefined) {
      return { role: 'exploration', stage: null, continued: false, color: null, claims: [] };
    }
    if (claim.length > 1 || first.stage === '') {
      const written = claim.map(one => one.written);
      return { role: 'unclear', stage: null, continued: false, color: null, claims: written };
    }
    const { role, stage } = first;
    const continued = role === 'stage' && stage !== null && seen.has(stage);
    if (role === 'stage' && stage !== null) {
      seen.add(stage);
    }
    const color = stage === null ? null : (colors.get(stage) ?? null);
    return { role, stage, continued, color, claims: [] };
  });
}

/** What each cell claims to be, null for those that hold no code. */
function settleClaims(cells: readonly CellSketch[]): (Claim[] | null)[] {
  // In a notebook of Kale's, a cell without a tag belongs with the one above it.
  const untaggedContinues = cells.some(cell => cell.isCode && cell.tags.some(isKaleStep));
  let above: Claim[] = [];
  return cells.map(cell => {
    if (!cell.isCode) {
      return null;
    }
    const own = ownClaims(cell);
    if (own.length === 0) {
      return untaggedContinues ? above : own;
    }
    if (own.some(({ role }) => role !== 'exploration')) {
      above = own;
    }
    return own;
  });
}

function isKaleStep(tag: string): boolean {
  return KALE_STEP.test(tag);
}

/** What a cell's own tags and first line claim; the same thing said twice counts once. */
function ownClaims(cell: CellSketch): Claim[] {
  const all = [...cell.tags.map(claimOfTag), claimOfLine(cell.firstLine)];
  const different = new Map<string, Claim>();
  for (const claim of all) {
    if (claim !== null) {
      different.set(JSON.stringify([claim.role, claim.stage]), claim);
    }
  }
  return [...different.values()];
}

function claimOfTag(tag: string): Claim | null {
  const role = ROLE_OF_TAG.get(tag);
  if (role !== undefined) {
    return { role, stage: role === 'stage' ? tag : null, written: tag };
  }
  const [, kind, name] = NAMED_TAG.exec(tag) ?? [];
  if (name === undefined) {
    return null;
  }
  return { role: kind === 'test' ? 'test' : 'stage', stage: name, written: tag };
}

function claimOfLine(line: string): Claim | null {
  const magic = STAGE_MAGIC.exec(line);
  if (magic === null) {
    return null;
  }
  const word = (magic[1] ?? '').trim().split(/\s+/)[0] ?? '';
  const name = word.startsWith('-') ? '' : word;
  return { role: 'stage', stage: name, written: name === '' ? '%%stage' : `%%stage ${name}` };
}

function stageColors(claims: readonly (Claim[] | null)[]): Map<string, number> {
  const colors = new Map<string, number>();
  for (const { role, stage } of claims.flatMap(claim => claim ?? [])) {
    if (role === 'stage' && stage !== null && stage !== '' && !colors.has(stage)) {
      colors.set(stage, (colors.size % STAGE_COLORS) + 1);
    }
  }
  return colors;
}
