import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

// eslint-disable-next-line jupyter/prefer-lazy-imports -- wanted at once: a notebook may be open already
import { NotebookChips } from './notebookchips';

/** Shows on each code cell which part of the pipeline it is. */
const chips: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:chips',
  description: 'Shows on each code cell which part of the pipeline it is.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    const decorate = (panel: NotebookPanel): void => {
      // eslint-disable-next-line jupyter/require-disposable-ownership -- disposes itself with the notebook
      new NotebookChips(panel.content, trans);
    };
    tracker.forEach(decorate);
    tracker.widgetAdded.connect((_tracker, panel) => {
      decorate(panel);
    });
  }
};

export default [chips];
