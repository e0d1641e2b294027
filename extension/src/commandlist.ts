import type { Cell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { showExport } from './exportdialog';
import { pipelineIcon } from './icon';
import { chipOf } from './notebookchips';
import type { PipelineModel } from './pipelinemodel';
import type { IStagebook } from './tokens';

type Options = CommandRegistry.ICommandOptions;

/** The pipeline that is worked in, its active cell, and the stage that this cell belongs to. */
interface Here {
  readonly model: PipelineModel;
  readonly cell: Cell;
  readonly stage: string | null;
}

const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** All commands, by their ids. */
export function commandsOf(
  stagebook: IStagebook,
  trans: TranslationBundle
): Record<string, Options> {
  const { actions } = stagebook;
  const always = (
    label: string,
    caption: string,
    does: (model: PipelineModel) => unknown
  ): Options => ({
    label,
    caption,
    describedBy: NO_ARGUMENTS,
    isEnabled: () => stagebook.current !== null,
    execute: async () => {
      const model = stagebook.current;
      if (model !== null) {
        await does(model);
      }
    }
  });
  const staged = (
    label: string,
    caption: string,
    does: (model: PipelineModel) => unknown
  ): Options => ({
    ...always(label, caption, does),
    isEnabled: () => stagebook.current?.hasRoles === true,
    isVisible: () => stagebook.current?.hasRoles === true
  });
  const ofCell = (
    label: string,
    caption: string,
    does: (here: Here & { stage: string }) => unknown
  ): Options => {
    const find = () => {
      const here = hereIn(stagebook);
      const stage = here?.stage ?? null;
      return here === null || stage === null ? null : { ...here, stage };
    };
    return {
      ...staged(label, caption, () => {
        const here = find();
        return here === null ? null : does(here);
      }),
      isEnabled: () => find() !== null
    };
  };
  return {
    'stagebook:pick-stage': {
      ...always(
        trans.__('Pick the Cell’s Stage…'),
        trans.__('Say what the cell is in the pipeline'),
        () => {
          const here = hereIn(stagebook);
          if (here !== null) {
            stagebook.pick(
              here.model,
              here.cell.model,
              chipOf(here.cell)?.anchor ?? anchorIn(here.cell)
            );
          }
        }
      ),
      icon: pipelineIcon,
      isEnabled: () => hereIn(stagebook) !== null
    },
    'stagebook:extend-stage': ofCell(
      trans.__('Extend the Stage to the Next Cell'),
      trans.__('Make the next code cell belong to the same stage'),
      ({ model, cell }) => {
        actions.extend(model, cell.model);
      }
    ),
    'stagebook:run': staged(
      trans.__('Run What Is Not Fresh'),
      trans.__('Run the stages that are stale, have failed or have never run'),
      model => actions.run(model, {})
    ),
    'stagebook:run-all-again': staged(
      trans.__('Run All Stages Again'),
      trans.__('Run every stage, also where nothing has changed'),
      model => actions.run(model, { force: true })
    ),
    'stagebook:run-stage': ofCell(
      trans.__('Run the Cell’s Stage'),
      trans.__('Run the stage of the active cell, and what it needs'),
      ({ model, stage }) => actions.run(model, { to: stage })
    ),
    'stagebook:run-from-here': ofCell(
      trans.__('Run from Here'),
      trans.__('Run the stage of the active cell, and all that depends on it'),
      ({ model, stage }) => actions.run(model, { from: stage })
    ),
    'stagebook:run-only-this': ofCell(
      trans.__('Run Only This Stage Again'),
      trans.__('Run the stage of the active cell alone, on what is stored'),
      ({ model, stage }) => actions.run(model, { only: stage, force: true })
    ),
    'stagebook:cancel': {
      ...staged(trans.__('Cancel the Run'), trans.__('End the run; what is done is kept'), model =>
        actions.cancel(model)
      ),
      isEnabled: () => stagebook.current?.isRunning === true
    },
    'stagebook:check': staged(
      trans.__('Check the Pipeline'),
      trans.__('Show what is wrong with the notebook’s stages'),
      model => {
        model.refresh();
        stagebook.look('');
      }
    ),
    'stagebook:show-panel': {
      ...always(
        trans.__('Show the Pipeline'),
        trans.__('Show the pipeline beside the notebook'),
        () => {
          stagebook.look('');
        }
      ),
      icon: pipelineIcon
    },
    'stagebook:show-stage': ofCell(
      trans.__('Show the Cell’s Stage'),
      trans.__('Show why the stage of the active cell stands as it does'),
      ({ stage }) => {
        stagebook.look(stage);
      }
    ),
    'stagebook:next-stage': staged(
      trans.__('Go to the Next Stage'),
      trans.__('Go to where the next stage begins'),
      model => go(stagebook, model, 1)
    ),
    'stagebook:previous-stage': staged(
      trans.__('Go to the Previous Stage'),
      trans.__('Go to where the stage before begins'),
      model => go(stagebook, model, -1)
    ),
    'stagebook:export': staged(
      trans.__('Export the Pipeline…'),
      trans.__('Preview what the pipeline can be exported as'),
      async model => {
        const exporters = await actions.tried(() => model.api.exporters());
        if (exporters !== null) {
          await showExport(model, exporters, what => actions.tried(what), trans);
        }
      }
    ),
    'stagebook:refresh': staged(
      trans.__('Look at the Pipeline Anew'),
      trans.__('Ask the server again how the stages stand'),
      model => {
        model.refresh();
      }
    )
  };
}

/** The active code cell of the notebook that is worked in. */
function hereIn(stagebook: IStagebook): Here | null {
  const model = stagebook.current;
  const cell = model?.panel.content.activeCell ?? null;
  if (model === null || cell?.model.type !== 'code') {
    return null;
  }
  const role = model.watch.roleOf(cell.model);
  return { model, cell, stage: role?.role === 'stage' ? role.stage : null };
}

/** Where the picker goes for a cell that has no chip. */
function anchorIn(cell: Cell): HTMLElement {
  return cell.node.querySelector<HTMLElement>('.jp-InputArea-editor') ?? cell.node;
}

/** Go to the nearest cell, this way, in which a stage begins. */
async function go(stagebook: IStagebook, model: PipelineModel, step: 1 | -1): Promise<void> {
  const notebook = model.panel.content;
  const roles = model.watch.roles ?? [];
  const models = model.watch.models();
  for (let at = notebook.activeCellIndex + step; at >= 0 && at < models.length; at += step) {
    const cell = models[at];
    const role = roles[at] ?? null;
    if (cell !== undefined && role?.role === 'stage' && !role.continued) {
      await stagebook.actions.jump(model, { id: cell.id, index: at });
      return;
    }
  }
}
