import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';

/** The plug-in whose schema holds the settings. */
export const SETTINGS_ID = 'stagebook:plugin';

/** What a person has set; defaults until that is known, or where there are no settings. */
export class Settings {
  /** Emitted when a setting has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether to ask before a notebook is saved for a run, or to save it always. */
  get saveBeforeRun(): 'ask' | 'always' {
    return this._get('saveBeforeRun') === 'always' ? 'always' : 'ask';
  }

  /** Whether cells show which stage they belong to. */
  get chips(): boolean {
    return this._get('chips') !== false;
  }

  /** Whether the end of a run is told in a notification. */
  get notify(): boolean {
    return this._get('notify') !== false;
  }

  /** Take what `registry` has. */
  async load(registry: ISettingRegistry): Promise<void> {
    const settings = await registry.load(SETTINGS_ID);
    const take = () => {
      this._values = settings.composite;
      this._changed.emit();
    };
    settings.changed.connect(take);
    take();
  }

  private _get(name: string): unknown {
    return this._values[name];
  }

  private _values: Readonly<Record<string, unknown>> = {};
  private readonly _changed = new Signal<this, void>(this);
}
