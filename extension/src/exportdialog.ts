import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { ExporterAnswer, ExporterOption, FileAnswer } from './answers';
import { ApiError } from './api';
import { button, element } from './dom';
import { defaultFolder, optionValue, writeLabel, writtenText } from './exporting';
import type { OptionValue } from './exporting';
import type { PipelineModel } from './pipelinemodel';

/** Shows what the pipeline can be exported as and the files that each exporter makes, and writes them. */
export async function showExport(
  model: PipelineModel,
  exporters: readonly ExporterAnswer[],
  tried: <T>(what: () => Promise<T>) => Promise<T | null>,
  trans: TranslationBundle
): Promise<void> {
  const body = new Widget();
  body.addClass('stagebook');
  body.addClass('sb-pipeline');
  body.addClass('stagebook-Export');
  if (exporters.length === 0) {
    body.node.append(
      element('p', {}, trans.__('No exporter is installed.')),
      element(
        'p',
        { class: 'sb-quiet' },
        trans.__('Packages that provide the entry point “stagebook.exporter” are listed here.')
      )
    );
  } else {
    body.node.append(new Exporting(model, exporters, tried, trans).node);
  }
  await showDialog({
    title: trans.__('Export %1', model.analysis?.title ?? ''),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

class Exporting {
  constructor(
    private readonly _model: PipelineModel,
    private readonly _exporters: readonly ExporterAnswer[],
    private readonly _tried: <T>(what: () => Promise<T>) => Promise<T | null>,
    private readonly _trans: TranslationBundle
  ) {
    const options = _exporters.map(one => element('option', { value: one.name }, one.title));
    this._select = element('select', { id: 'stagebook-exporter' }, ...options) as HTMLSelectElement;
    this._select.addEventListener('change', () => {
      this._choose();
    });
    this.node = element(
      'div',
      { class: 'stagebook-Form' },
      element('label', { for: 'stagebook-exporter' }, _trans.__('Export as')),
      this._select,
      this._about,
      button(_trans.__('Preview the files'), () => void this._preview(), {
        class: 'sb-button sb-main'
      }),
      this._writing,
      this._said,
      this._files
    );
    this._choose();
  }

  readonly node: HTMLElement;

  private get _exporter(): ExporterAnswer | undefined {
    return this._exporters.find(one => one.name === this._select.value);
  }

  private _choose(): void {
    const exporter = this._exporter;
    this._values.clear();
    this._files.replaceChildren();
    this._writing.replaceChildren();
    this._said.replaceChildren();
    const fields = exporter?.options.map(option => this._field(option)) ?? [];
    this._about.replaceChildren(
      element('p', { class: 'sb-quiet' }, exporter?.says ?? ''),
      element(
        'p',
        { class: 'sb-quiet' },
        this._trans.__('The notebook is exported as it was last saved.')
      ),
      ...fields
    );
  }

  private _field(option: ExporterOption): HTMLElement {
    const id = `stagebook-option-${option.name}`;
    const isChoice = option.kind === 'choice';
    const choices = option.choices.map(choice => element('option', { value: choice }, choice));
    const kinds: Readonly<Record<string, string>> = { number: 'number', switch: 'checkbox' };
    const input = (
      isChoice
        ? element('select', { id }, ...choices)
        : element('input', { id, type: kinds[option.kind] ?? 'text' })
    ) as HTMLInputElement | HTMLSelectElement;
    if (input instanceof HTMLInputElement && option.kind === 'switch') {
      input.checked = option.default === true;
    } else if (option.default !== null) {
      input.value = String(option.default);
    }
    input.addEventListener('change', () => {
      const isSwitch = input instanceof HTMLInputElement && option.kind === 'switch';
      this._values.set(option.name, isSwitch ? input.checked : optionValue(option, input.value));
      this._files.replaceChildren();
      this._writing.replaceChildren();
      this._said.replaceChildren();
    });
    return element(
      'div',
      { class: 'stagebook-Field' },
      element('label', { for: id }, option.name),
      input,
      option.help === '' ? null : element('p', { class: 'sb-quiet' }, option.help)
    );
  }

  private async _preview(): Promise<void> {
    const { path, api } = this._model;
    const options = Object.fromEntries(this._values);
    this._files.replaceChildren();
    this._writing.replaceChildren();
    await this._saying(async () => {
      const files = await api.exportPreview(this._select.value, path, options);
      this._files.replaceChildren(...files.map(file => this._file(file)));
      this._writing.replaceChildren(...this._folderAndButton(files.length));
      return [];
    });
  }

  /** Show what comes of something; what the server says is wrong is read here, where one looks. */
  private async _saying(what: () => Promise<HTMLElement[]>): Promise<void> {
    this._said.replaceChildren();
    const said = await this._tried(async () => {
      try {
        return await what();
      } catch (error) {
        if (!(error instanceof ApiError) || error.message === '') {
          throw error;
        }
        return [element('p', { class: 'stagebook-Wrong' }, error.message)];
      }
    });
    this._said.replaceChildren(...(said ?? []));
  }

  private _folderAndButton(count: number): HTMLElement[] {
    const id = 'stagebook-export-folder';
    const folder = element('input', { id, type: 'text' }) as HTMLInputElement;
    folder.value = defaultFolder(this._model.path, this._select.value);
    const write = button(
      writeLabel(count, this._trans),
      () => void this._write(folder.value, false),
      { class: 'sb-button sb-main' }
    );
    return [
      element(
        'div',
        { class: 'stagebook-Field' },
        element('label', { for: id }, this._trans.__('Folder')),
        folder,
        element('p', { class: 'sb-quiet' }, this._trans.__('Relative to the notebook.'))
      ),
      write
    ];
  }

  /** Write the files; where some were edited since, nothing is, until that is asked for. */
  private async _write(folder: string, overwrite: boolean): Promise<void> {
    const { path, api } = this._model;
    const options = Object.fromEntries(this._values);
    const name = this._select.value;
    await this._saying(async () => {
      try {
        const written = await api.exportFiles(name, path, folder, options, overwrite);
        return [element('p', {}, writtenText(written, this._trans))];
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) {
          throw error;
        }
        return [
          element('p', { class: 'stagebook-Wrong' }, error.message),
          button(this._trans.__('Overwrite'), () => void this._write(folder, true))
        ];
      }
    });
  }

  private _file(file: FileAnswer): HTMLElement {
    const size = this._trans.__('%1 bytes', file.size);
    const text = file.text ?? this._trans.__('(no text)');
    return element(
      'details',
      {},
      element(
        'summary',
        {},
        element('code', {}, file.path),
        element('span', { class: 'sb-quiet' }, ` ${size}`)
      ),
      element('pre', { class: 'sb-code', tabindex: '0' }, text)
    );
  }

  private readonly _select: HTMLSelectElement;
  private readonly _about = element('div', {});
  private readonly _files = element('div', { class: 'stagebook-Export-files' });
  private readonly _writing = element('div', { class: 'stagebook-Form' });
  private readonly _said = element('div', { role: 'status' });
  private readonly _values = new Map<string, OptionValue>();
}
