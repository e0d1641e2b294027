import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commandsOf } from '../commandlist';
import { IStagebook } from '../tokens';

/** Commands for all that can be done with a pipeline, in the palette. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'stagebook:commands',
  description: 'Commands for all that can be done with a pipeline.',
  autoStart: true,
  requires: [IStagebook],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    stagebook: IStagebook,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('stagebook');
    const all = commandsOf(stagebook, trans);
    for (const [id, options] of Object.entries(all)) {
      app.commands.addCommand(id, options);
      palette?.addItem({ command: id, category: trans.__('Stagebook') });
    }
    const changed = () => {
      app.commands.notifyCommandChanged();
    };
    stagebook.currentChanged.connect(changed);
  }
};
