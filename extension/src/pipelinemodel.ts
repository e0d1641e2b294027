import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Analysis, FailureAnswer, JobEnd, RunAnswer, RunsAnswer } from './answers';
import { type Api, type Order, type Trouble, troubleOf } from './api';
import { Given, shelf } from './given';
import { Latest } from './latest';
import { NotebookWatch } from './notebookwatch';
import { NO_RUN, type RunNow, after, settled, waiting } from './runnow';
import { downstream, toRun, upstream } from './standing';

/** How often one looks whether somebody else runs the notebook, in milliseconds; seldomer while the server is away. */
const OFTEN = { interval: 3000, backoff: true, max: 30_000 };

/** What of the pipeline has changed. */
export type Aspect = 'roles' | 'analysis' | 'run' | 'runs' | 'parameters';

/** A part of the order that buttons give; the notebook and its parameters are known. */
export type Selection = Pick<Order, 'only' | 'from' | 'to' | 'force'>;

/**
 * The pipeline of one notebook: what it is, how it stands, what runs.
 *
 * What is in the notebook comes from its shared model, all else from the server: run states are never written into the
 * notebook.
 */
export class PipelineModel implements IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    private readonly _api: Api,
    private readonly _localPath: (path: string) => string
  ) {
    this.watch = new NotebookWatch(panel.content);
    this.given = new Given(shelf(), () => this.path);
    this.watch.rolesChanged.connect(this._onRoles, this);
    this.watch.edited.connect(this._onTyped, this);
    panel.context.fileChanged.connect(this._onEdited, this);
    panel.context.pathChanged.connect(this._onPath, this);
    panel.disposed.connect(this.dispose, this);
    this._latest = new Latest(
      signal => this._analyse(signal),
      analysis => {
        this._take(analysis);
      },
      error => {
        this._fail(error);
      }
    );
    this._poll = new Poll({
      factory: async () => {
        await this._look();
      },
      frequency: OFTEN,
      standby: () => this.isRunning || !panel.isVisible || document.hidden || !this._isInOrder()
    });
  }

  readonly watch: NotebookWatch;
  readonly given: Given;

  /** Emitted when something has changed. */
  get changed(): ISignal<this, Aspect> {
    return this._changed;
  }

  /** Emitted when a run that was followed has ended. */
  get ended(): ISignal<this, JobEnd> {
    return this._ended;
  }

  /** The notebook's path below the server's root directory. */
  get path(): string {
    return this._localPath(this.panel.context.path);
  }

  /** Whether the notebook has stages, or cells that play another part. */
  get hasRoles(): boolean {
    return this.watch.roles !== null;
  }

  get analysis(): Analysis | null {
    return this._analysis;
  }

  get trouble(): Trouble | null {
    return this._trouble;
  }

  /** The run that goes on, or that went on last. */
  get run(): RunNow {
    return this._run;
  }

  get isRunning(): boolean {
    return this._job !== null;
  }

  get isCancelling(): boolean {
    return this._isCancelling;
  }

  /** How the last run that was followed ended; null while it goes on. */
  get lastEnd(): JobEnd | null {
    return this._end;
  }

  get runs(): RunsAnswer | null {
    return this._runs;
  }

  /** Where and why stages have failed, by their names. */
  get failures(): ReadonlyMap<string, FailureAnswer> {
    return this._failures;
  }

  /** Take other parameters instead of the notebook's, as texts of Python. */
  give(values: Given['values']): void {
    this.given.values = values;
    this._changed.emit('parameters');
    this._latest.request();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._latest.stop();
      this._stopped.abort();
      this._poll.dispose();
      this.watch.dispose();
      Signal.clearData(this);
    }
  }

  /** The stages that a run of `selection` would run, as far as that is known before. */
  chosen(selection: Selection): string[] {
    const { analysis } = this;
    if (analysis === null) {
      return [];
    }
    const stale = toRun(analysis);
    const { only, from, to, force = false } = selection;
    if (only !== undefined) {
      return [only];
    }
    const within =
      from !== undefined
        ? [from, ...downstream(analysis, from)]
        : to !== undefined
          ? [to, ...upstream(analysis, to)]
          : analysis.stages.map(stage => stage.name);
    return analysis.stages
      .map(stage => stage.name)
      .filter(name => within.includes(name) && (force || stale.includes(name)));
  }

  /**
   * Run the notebook as it is saved.
   *
   * @throws ApiError - the server will not.
   */
  async start(selection: Selection): Promise<void> {
    if (this.isRunning) {
      return;
    }
    this._job = ''; // nothing else is started meanwhile
    this._end = null;
    this._run = waiting(this.chosen(selection));
    this._changed.emit('run');
    const { path } = this;
    const { values: parameters, secrets } = this.given;
    try {
      const hidden = Object.keys(secrets).length > 0;
      const order = { path, parameters, ...(hidden && { secrets }), ...selection };
      const job = await this._api.start(order);
      void this._follow(job);
    } catch (error) {
      this._job = null;
      this._run = NO_RUN;
      this._changed.emit('run');
      throw error;
    }
  }

  /** End the run that goes on, as Ctrl-C does: what is done is kept. */
  async cancel(): Promise<void> {
    if (this._job) {
      this._isCancelling = true;
      this._changed.emit('run');
      await this._api.cancel(this.path, this._job);
    }
  }

  /** Whether a run, which takes the notebook's file, would run what is on the screen. */
  async isSaved(): Promise<boolean> {
    const analysis = await this._analyse(this._stopped.signal);
    return analysis?.saved === true;
  }

  /** Ask again for all that may have changed outside. */
  refresh(): void {
    this._latest.request();
    void this.findJobs();
    void this.loadRuns();
  }

  /** Find a run that was begun before this page was opened, or elsewhere. */
  async findJobs(): Promise<void> {
    try {
      await this._look();
    } catch (error) {
      this._fail(error);
    }
  }

  /** Ask for the runs that there have been. */
  async loadRuns(): Promise<void> {
    try {
      this._runs = await this._api.runs(this.path);
      this._changed.emit('runs');
    } catch (error) {
      this._fail(error);
    }
  }

  get api(): Api {
    return this._api;
  }

  /** Whether somebody else, in another browser or in a terminal, runs the notebook or has run it since the last look. */
  private async _look(): Promise<void> {
    if (this._isDisposed || !this.hasRoles || this.isRunning) {
      return;
    }
    const { path } = this;
    const { jobs, latest } = await this._api.jobs(path);
    if (this._job !== null || path !== this.path) {
      return;
    }
    const running = jobs.find(job => job.running);
    if (running !== undefined) {
      this._run = NO_RUN;
      void this._follow(running.job);
    } else if (this._seen !== null && latest !== this._seen) {
      this._latest.request();
      void this._loadFailures();
    }
    this._seen = latest;
  }

  private _isInOrder(): boolean {
    return this.hasRoles && this._trouble?.isMissing !== true;
  }

  private async _analyse(signal: AbortSignal): Promise<Analysis | null> {
    if (!this.hasRoles) {
      return null;
    }
    const { path } = this;
    const parameters = { ...this.given.values, ...this.given.secrets };
    return this._api.analyse({ path, notebook: this.watch.asJson(), parameters }, signal);
  }

  private _take(analysis: Analysis | null): void {
    this._analysis = analysis;
    this._trouble = null;
    const { stages = [], parameters = [] } = analysis ?? {};
    if (stages.length > 0 && this.given.keep(parameters.map(one => one.name))) {
      this._latest.request();
    }
    if (!this.isRunning) {
      this._run = { ...this._run, stages: new Map() }; // how stages stand is known better now
    }
    this._changed.emit('analysis');
    if (analysis?.stages.some(one => one.state === 'failed' && !this._failures.has(one.name))) {
      void this._loadFailures();
    }
  }

  private _fail(error: unknown): void {
    this._trouble = troubleOf(error);
    this._changed.emit('analysis');
  }

  private async _follow(job: string): Promise<void> {
    this._job = job;
    this._end = null;
    this._changed.emit('run');
    try {
      this._end = await this._api.follow(
        this.path,
        job,
        event => {
          this._run = after(this._run, event, performance.now());
          this._changed.emit('run');
        },
        this._stopped.signal
      );
    } catch (error) {
      if (this._stopped.signal.aborted) {
        return;
      }
      this._end = { state: 'died', run: this._run.id, errors: troubleOf(error).message };
    }
    this._job = null;
    this._isCancelling = false;
    this._run = { ...this._run, stages: settled(this._run.stages) };
    this._failures = new Map();
    this._changed.emit('run');
    this._latest.request();
    await this._loadFailures();
    this._ended.emit(this._end);
  }

  /** Where the stages failed that have failed last: of each, as the newest run that ran it has it. */
  private async _loadFailures(): Promise<void> {
    await this.loadRuns();
    const newest = this._runs?.runs.find(run => run.stages.some(isFailed));
    if (newest === undefined) {
      return;
    }
    try {
      const { failures } = await this._api.run(this.path, newest.id);
      this._failures = new Map(failures.map(failure => [failure.stage, failure]));
      this._changed.emit('run');
    } catch (error) {
      this._fail(error);
    }
  }

  private _onRoles(): void {
    const known = this._hadRoles;
    this._hadRoles = this.hasRoles;
    if (!known && this._hadRoles) {
      void this.findJobs();
      this._latest.request();
    }
    if (known && !this._hadRoles) {
      this._analysis = null;
    }
    this._changed.emit('roles');
  }

  /** How the last run ended is no news any more once somebody goes on with the notebook. */
  private _onTyped(): void {
    if (this._end !== null) {
      this._end = null;
      this._run = { ...this._run, notices: [] };
      this._changed.emit('run');
    }
    this._onEdited();
  }

  private _onEdited(): void {
    if (this._isInOrder()) {
      this._latest.request();
    }
  }

  private _onPath(): void {
    this._runs = null;
    this._seen = null;
    this._failures = new Map();
    this._latest.request();
  }

  private _analysis: Analysis | null = null;
  private _trouble: Trouble | null = null;
  private _run = NO_RUN;
  private _job: string | null = null;
  private _end: JobEnd | null = null;
  private _isCancelling = false;
  private _runs: RunsAnswer | null = null;
  /** What stood for the newest run at the last look. */
  private _seen: string | null = null;
  private _failures: ReadonlyMap<string, FailureAnswer> = new Map();
  private _hadRoles = false;
  private _isDisposed = false;
  private readonly _latest: Latest<Analysis | null>;
  private readonly _poll: Poll;
  private readonly _stopped = new AbortController();
  private readonly _changed = new Signal<this, Aspect>(this);
  private readonly _ended = new Signal<this, JobEnd>(this);
}

function isFailed(stage: RunAnswer['stages'][number]): boolean {
  return stage.state === 'failed';
}
