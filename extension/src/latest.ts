/** Asks for the newest answer only. Pure: time is handed in by those who test it. */

/** How long to wait after a change, in milliseconds, for another one. */
export const PAUSE = 80;

/**
 * Asks once changes have paused; never twice at the same time, and never gives an answer that is out of date already.
 */
export class Latest<T> {
  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<T>,
    private readonly give: (answer: T) => void,
    private readonly fail: (error: unknown) => void,
    private readonly pause = PAUSE
  ) {}

  /** Something has changed. */
  request(): void {
    this._wanted = true;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      void this._go();
    }, this.pause);
  }

  /** Ask no more, and give nothing more. */
  stop(): void {
    this._stopped.abort();
    clearTimeout(this._timer);
  }

  private async _go(): Promise<void> {
    if (this._asking || this._isStopped()) {
      return; // what is wanted is asked for once the answer is there
    }
    this._asking = true;
    this._wanted = false;
    try {
      const answer = await this.ask(this._stopped.signal);
      // While another change waits, this answer would be shown for a moment only: unless changes never end.
      if (!this._isStopped() && (!this._isWanted() || this._dropped >= MOST_DROPPED)) {
        this._dropped = 0;
        this.give(answer);
      } else {
        this._dropped += 1;
      }
    } catch (error) {
      if (!this._isStopped()) {
        this.fail(error);
      }
    }
    this._asking = false;
    if (this._isWanted()) {
      this.request();
    }
  }

  // As functions: they change while an answer is waited for.
  private _isWanted(): boolean {
    return this._wanted;
  }

  private _isStopped(): boolean {
    return this._stopped.signal.aborted;
  }

  private _wanted = false;
  private _asking = false;
  private _dropped = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _stopped = new AbortController();
}

/** Answers in a row that are dropped, before one that is a little out of date is better than none. */
const MOST_DROPPED = 4;
