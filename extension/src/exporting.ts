import type { TranslationBundle } from '@jupyterlab/translation';

import type { ExporterOption, WrittenAnswer } from './answers';

export type OptionValue = string | number | boolean | null;

/** The folder beside the notebook that an exporter's files go to, unless another is named. */
export function defaultFolder(notebook: string, exporter: string): string {
  const name = notebook.split('/').at(-1) ?? notebook;
  return `${name.replace(/\.ipynb$/, '')}-${exporter}/`;
}

/** What a field's text says; an empty one says nothing. */
export function optionValue(option: ExporterOption, text: string): OptionValue {
  if (option.kind !== 'number') {
    return text;
  }
  return text.trim() === '' ? null : Number(text);
}

/** What the button says that writes. */
export function writeLabel(count: number, trans: TranslationBundle): string {
  return trans._n('Write %1 file', 'Write %1 files', count);
}

/** What has been written, in a sentence. */
export function writtenText({ folder, files }: WrittenAnswer, trans: TranslationBundle): string {
  const written = files.filter(({ state }) => state !== 'removed' && state !== 'unchanged');
  const place = folder === '' ? trans.__('the root folder') : folder;
  if (written.length === 0) {
    return trans.__('Nothing has changed in %1.', place);
  }
  return trans.__('Written to %1: %2.', place, written.map(({ path }) => path).join(', '));
}
