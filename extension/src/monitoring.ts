import type { TranslationBundle } from '@jupyterlab/translation';

import type { ReportedWindow } from './answers';

/** A window in the picture of a monitor's history, which is 100 wide and 100 high. */
export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly hasDrifted: boolean;
  /** What a retraining came to; empty where there was none. */
  readonly retrained: string;
  readonly said: string;
}

/** The least that is drawn of a share, so that no drift is seen to be something that was looked at. */
const LEAST = 1;
const USED = 0.7;

/** The windows of which something is said, as bars; the oldest first. */
export function barsOf(windows: readonly ReportedWindow[], trans: TranslationBundle): Bar[] {
  const told = windows.filter(({ share }) => share !== null);
  const step = 100 / Math.max(told.length, 1);
  return told.map((one, at) => ({
    x: at * step + (step * (1 - USED)) / 2,
    width: step * USED,
    height: Math.max(LEAST, 100 * Math.min(1, Math.max(0, one.share ?? 0))),
    hasDrifted: one.detected,
    retrained: one.retrained,
    said: `${one.window}: ${verdictOf(one, trans)}`
  }));
}

/** What was said of a window, in words. */
export function verdictOf(one: ReportedWindow, trans: TranslationBundle): string {
  if (one.share === null) {
    return one.note === '' ? trans.__('too few rows to say') : one.note;
  }
  if (one.share === 0) {
    return trans.__('no drift');
  }
  const share = `${(100 * one.share).toFixed(0)} %`;
  const columns = one.drifted.length === 0 ? '' : ` (${one.drifted.join(', ')})`;
  return (
    (one.detected
      ? trans.__('drift, in %1 of the columns', share)
      : trans.__('no drift, though in %1 of the columns', share)) + columns
  );
}

/** What a retraining came to, in words; empty where there was none. */
export function retrainedWord(retrained: string, trans: TranslationBundle): string {
  switch (retrained) {
    case '':
      return '';
    case 'promoted':
      return trans.__('trained anew, and promoted');
    case 'unchanged':
      return trans.__('trained anew: the same model');
    case 'rejected':
      return trans.__('trained anew, and not promoted: its gates are closed');
    default:
      return trans.__('training anew failed');
  }
}

/** The count beside the section's title: the models whose last window has drifted, of all. */
export function countOf(
  monitors: readonly { readonly windows: readonly ReportedWindow[] }[],
  trans: TranslationBundle
): string {
  if (monitors.length === 0) {
    return '';
  }
  const drifting = monitors.filter(({ windows }) => windows[windows.length - 1]?.detected === true);
  return drifting.length === 0
    ? String(monitors.length)
    : trans.__('%1, drift in %2', monitors.length, drifting.length);
}
