/** The words on a chip. Pure: the translator is handed in. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { CellRole } from './model';
import { SIGNS, type ShownStage } from './standing';

export interface ChipWording {
  /** What the chip reads. */
  readonly text: string;
  /** What it reads aloud. */
  readonly label: string;
  /** One sentence on what the role means. */
  readonly title: string;
}

/** How a chip says how its stage stands. */
export interface StateWording {
  readonly state: string;
  readonly sign: string;
  readonly text: string;
  readonly label: string;
  /** Why it is so. */
  readonly title: string;
}

/**
 * The words for how a cell's stage stands: on its first cell, and where it runs or has failed; null elsewhere.
 *
 * @param place - whether it is in this cell that the stage runs, or has failed.
 */
export function stateWording(
  cell: CellRole,
  stage: ShownStage,
  place: 'runs' | 'failed' | null,
  trans: TranslationBundle
): StateWording | null {
  const { state, reason } = stage;
  if (cell.role !== 'stage' || state === '' || (cell.continued && place === null)) {
    return null;
  }
  const text = place === 'failed' ? trans.__('failed here') : stage.below;
  const why = trans.__('Show stage “%1” in the panel.', stage.name);
  return {
    state,
    sign: SIGNS[state] ?? '',
    text,
    label: trans.__('Stage %1: %2', stage.name, text),
    title: reason === '' ? why : `${reason}\n${why}`
  };
}

/** The words for a cell's role. */
export function chipWording(cell: CellRole, trans: TranslationBundle): ChipWording {
  const name = cell.stage ?? '';
  switch (cell.role) {
    case 'parameters':
      return {
        text: trans.__('parameters'),
        label: trans.__('Pipeline role: parameters'),
        title: trans.__('Default parameters, which a run may replace.')
      };
    case 'setup':
      return {
        text: trans.__('setup'),
        label: trans.__('Pipeline role: setup'),
        title: trans.__('Imports, functions and options that run before every stage.')
      };
    case 'stage':
      return stageWording(name, cell.continued, trans);
    case 'test':
      return {
        text: trans.__('test: %1', name),
        label: trans.__('Pipeline role: test of stage %1', name),
        title: trans.__(
          'Checks the outputs of stage “%1” when tests run, never in a production run.',
          name
        )
      };
    case 'exploration':
      return {
        text: trans.__('exploration'),
        label: trans.__('Pipeline role: exploration'),
        title: trans.__('Runs here only: no pipeline run executes this cell.')
      };
    case 'unclear':
      return unclearWording(cell, trans);
  }
}

function stageWording(name: string, continued: boolean, trans: TranslationBundle): ChipWording {
  if (continued) {
    return {
      text: trans.__('%1 (cont.)', name),
      label: trans.__('Pipeline role: stage %1, continued', name),
      title: trans.__('Continues stage “%1”: cells that share a name are one stage.', name)
    };
  }
  return {
    text: name,
    label: trans.__('Pipeline role: stage %1', name),
    title: trans.__('Stage “%1” of the pipeline begins here.', name)
  };
}

function unclearWording(cell: CellRole, trans: TranslationBundle): ChipWording {
  if (cell.stage === '') {
    return {
      text: trans.__('unnamed stage'),
      label: trans.__('Pipeline role unclear: no stage is named'),
      title: trans.__('No stage is named: write %1 NAME.', cell.claims[0]?.trim() ?? '')
    };
  }
  if (cell.stage !== null) {
    return {
      text: trans.__('not a name: %1', cell.stage),
      label: trans.__('Pipeline role unclear: %1 cannot be the name of a stage', cell.stage),
      title: trans.__('A name starts with a letter and goes on with letters, digits, “_” or “-”.')
    };
  }
  const list = cell.claims.join(', ');
  return {
    text: trans.__('unclear: %1', list),
    label: trans.__('Pipeline role unclear: %1', list),
    title: trans.__('A cell has one role: keep one of %1.', list)
  };
}
