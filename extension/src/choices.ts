/** What the picker offers. Pure. */

import type { Choice } from './tagging';
import { wrongName } from './tagging';

/** Letters from which on the beginning of a role's word means the role, rather than a new stage. */
const NEARLY = 4;

/** One line of the picker. */
export interface Offer {
  readonly choice: Choice;
  /** Whether it makes a stage that is not there yet. */
  readonly isNew: boolean;
}

/**
 * What can be picked for what somebody has typed so far: existing stages first, then a new one, then the other roles.
 *
 * @param stages the notebook's stages, in order.
 * @param typed what is in the field.
 * @param withTests whether tests of stages can be written, too.
 */
export function offers(stages: readonly string[], typed: string, withTests = true): Offer[] {
  const name = typed.trim();
  const offer = (choice: Choice, isNew = false): Offer => ({ choice, isNew });
  const fits = (text: string) => text.toLowerCase().includes(name.toLowerCase());
  const known = stages.filter(fits).map(stage => offer({ role: 'stage', name: stage }));
  // What is typed out stands first, so that Enter takes it.
  known.sort((one, other) => Number(other.choice.name === name) - Number(one.choice.name === name));
  const isNew = wrongName(name) === null && !stages.includes(name);
  const alone = (['setup', 'parameters', 'none'] as const).filter(
    role => fits(role) || (role === 'none' && fits('exploration'))
  );
  const tests = withTests
    ? stages.filter(stage => fits(`test ${stage}`) || fits(`test:${stage}`))
    : [];
  const others = [
    ...alone.filter(role => role !== 'none').map(role => offer({ role })),
    ...tests.map(stage => offer({ role: 'test', name: stage })),
    ...alone.filter(role => role === 'none').map(role => offer({ role }))
  ];
  const news = isNew ? [offer({ role: 'stage', name }, true)] : [];
  // A role's word, typed out or nearly so.
  const meant = others.filter(
    ({ choice: { role } }) => role === name || (name.length >= NEARLY && role.startsWith(name))
  );
  return [...known, ...meant, ...news, ...others.filter(one => !meant.includes(one))];
}
