import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Api } from '../api';
import { SETTINGS_ID } from '../settings';
import { Stagebook } from '../stagebook';
import { IStagebook } from '../tokens';

/** Follows the notebooks that are open; all else is built on it. */
export const core: JupyterFrontEndPlugin<IStagebook> = {
  id: SETTINGS_ID,
  description: 'Follows the pipelines of the notebooks that are open.',
  autoStart: true,
  provides: IStagebook,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const { contents, serverSettings } = app.serviceManager;
    const trans = (translator ?? nullTranslator).load('stagebook');
    const localPath = (path: string) => contents.localPath(path);
    const stagebook = new Stagebook(tracker, new Api(serverSettings), localPath, trans);
    if (registry !== null) {
      stagebook.settings.load(registry).catch((error: unknown) => {
        console.error('stagebook: the settings could not be read, defaults hold.', error);
      });
    }
    return stagebook;
  }
};
