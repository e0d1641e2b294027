import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { StatusItem } from '../statusitem';
import { IStagebook } from '../tokens';

/** Says in the status bar what is stale, or runs. */
export const status: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:status',
  description: 'Says in the status bar how many stages are stale, or which one runs.',
  autoStart: true,
  requires: [IStagebook],
  optional: [IStatusBar, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    stagebook: IStagebook,
    bar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    if (bar === null) {
      return; // Notebook has none
    }
    const item = new StatusItem(stagebook, (translator ?? nullTranslator).load('stagebook'));
    bar.registerStatusItem('stagebook:status', { item, align: 'left', rank: 10 });
  }
};
