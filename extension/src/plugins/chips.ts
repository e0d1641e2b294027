import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { NotebookChips } from '../notebookchips';
import { IStagebook } from '../tokens';

/** Shows on each code cell which part of the pipeline it is, and how its stage stands. */
export const chips: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:chips',
  description: 'Shows on each code cell which part of the pipeline it is.',
  autoStart: true,
  requires: [IStagebook, INotebookTracker],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    stagebook: IStagebook,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    const decorate = (panel: NotebookPanel): void => {
      // eslint-disable-next-line jupyter/require-disposable-ownership -- disposes itself with the notebook
      new NotebookChips(stagebook.of(panel), stagebook, trans);
    };
    tracker.forEach(decorate);
    tracker.widgetAdded.connect((_tracker, panel) => {
      decorate(panel);
    });
  }
};
