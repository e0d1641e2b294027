import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { pipelineIcon } from '../icon';
import { PipelinePanel } from '../panel/panel';
import { IStagebook } from '../tokens';

/** The panel in the right sidebar. */
export const panel: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:panel',
  description: 'Shows the pipeline of a notebook beside it, and runs it.',
  autoStart: true,
  requires: [IStagebook, INotebookTracker],
  optional: [ILabShell, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    stagebook: IStagebook,
    tracker: INotebookTracker,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    const pick = () => {
      void app.commands.execute('stagebook:pick-stage');
    };
    const widget = new PipelinePanel(stagebook, stagebook.actions, pick, trans);
    widget.title.icon = pipelineIcon;
    widget.title.caption = trans.__('Pipeline');
    if (labShell === null) {
      widget.title.label = trans.__('Pipeline'); // Notebook lists its panels in a menu
    }
    const add = () => {
      if (!widget.isAttached) {
        app.shell.add(widget, 'right', { rank: 600 });
      }
    };
    if (labShell !== null || tracker.currentWidget !== null) {
      add();
    } else {
      tracker.widgetAdded.connect(add); // other pages of Notebook have no pipeline
    }
    restorer?.add(widget, widget.id);
    stagebook.looked.connect((_stagebook, stage) => {
      add();
      app.shell.activateById(widget.id);
      widget.choose(stage);
      if (stage === '') {
        widget.focusGraph();
      }
    });
  }
};
