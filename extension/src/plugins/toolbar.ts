import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { StatusItem } from '../statusitem';
import { IStagebook } from '../tokens';

/** Says in the notebook's toolbar how its stages stand; a press shows the panel. */
export const toolbar: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:toolbar',
  description: 'Says in a notebook’s toolbar how its stages stand.',
  autoStart: true,
  requires: [IStagebook, IToolbarWidgetRegistry],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    stagebook: IStagebook,
    registry: IToolbarWidgetRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    registry.addFactory<NotebookPanel>(
      'Notebook',
      'stagebook-status',
      panel => new StatusItem(stagebook, trans, stagebook.of(panel))
    );
  }
};
