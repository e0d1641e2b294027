import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, type TranslationBundle, nullTranslator } from '@jupyterlab/translation';

import type { PipelineModel } from '../pipelinemodel';
import { IStagebook } from '../tokens';

/** Tells of the end of a run. */
export const notifications: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:notifications',
  description: 'Tells of the end of a run.',
  autoStart: true,
  requires: [IStagebook],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, stagebook: IStagebook, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    stagebook.runEnded.connect((_stagebook, model) => {
      if (stagebook.settings.notify) {
        tell(app, stagebook, model, trans);
      }
    });
  }
};

function tell(
  app: JupyterFrontEnd,
  stagebook: IStagebook,
  model: PipelineModel,
  trans: TranslationBundle
): void {
  const name = model.path.split('/').at(-1) ?? model.path;
  const failure = [...model.failures.values()][0];
  const open = {
    label: trans.__('Open'),
    displayType: 'accent' as const,
    callback: () => {
      app.shell.activateById(model.panel.id);
      stagebook.look(failure?.stage ?? model.analysis?.stages.at(-1)?.name ?? '');
    }
  };
  switch (model.lastEnd?.state) {
    case 'done':
      Notification.success(trans.__('The run of %1 is done.', name), {
        autoClose: 5000,
        actions: [open]
      });
      return;
    case 'interrupted':
      Notification.info(trans.__('The run of %1 was interrupted.', name), {
        autoClose: 5000,
        actions: [open]
      });
      return;
    case 'rejected':
      Notification.warning(trans.__('The run of %1 ended at a closed gate.', name), {
        actions: [open]
      });
      return;
    case 'failed': {
      const what =
        failure === undefined ? '' : `: ${failure.stage}, ${failure.name} ${failure.message}`;
      Notification.error(trans.__('The run of %1 has failed%2', name, what), {
        autoClose: 15000,
        actions: [open]
      });
      return;
    }
    default:
      Notification.error(trans.__('%1 could not be run: %2', name, model.lastEnd?.errors ?? ''), {
        actions: [open]
      });
  }
}
