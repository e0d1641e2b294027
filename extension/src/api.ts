/** The server's side of Stagebook: each of its routes is a method here. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type {
  Analysis,
  ExporterAnswer,
  FiguresAnswer,
  FileAnswer,
  JobEnd,
  JobsAnswer,
  RunDetail,
  RunEvent,
  MonitorAnswer,
  RunsAnswer,
  Section,
  SuggestionAnswer,
  ValuesAnswer,
  WrittenAnswer
} from './answers';
import { EventReader } from './sse';

/** Something that the server says is wrong, in its own words; or that it could not be asked. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The answer's status; 0 where there was none. */
    readonly status: number
  ) {
    super(message);
  }

  /** Whether it is the server extension that is missing. */
  get isMissing(): boolean {
    return this.status === 404 && this.message === '';
  }
}

/** Why there is no analysis, or no run. */
export interface Trouble {
  readonly message: string;
  /** Whether the server extension is missing. */
  readonly isMissing: boolean;
}

/** What an error means for whoever asked. */
export function troubleOf(error: unknown): Trouble {
  const isOurs = error instanceof ApiError;
  return {
    message: isOurs ? error.message : String(error),
    isMissing: isOurs && error.isMissing
  };
}

/** Cells as the server reads them: a notebook without its outputs. */
export interface Sent {
  readonly path: string;
  /** The notebook, as JSON already. */
  readonly notebook: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** What to run. */
export interface Order {
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly only?: string;
  readonly from?: string;
  readonly to?: string;
  readonly force?: boolean;
}

type Query = Readonly<Record<string, string>>;

const RETRIES = [250, 1000, 2000, 5000, 10000];

/** Asks the server. */
export class Api {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  async analyse({ path, notebook, parameters }: Sent, signal: AbortSignal): Promise<Analysis> {
    const body = withNotebook(
      { path, within: 'stagebook-', ...(parameters && { parameters }) },
      notebook
    );
    return (await this._json('analyse', {}, { method: 'POST', body, signal })) as Analysis;
  }

  async suggest(path: string, notebook: string): Promise<SuggestionAnswer> {
    const body = withNotebook({ path }, notebook);
    return (await this._json('suggest', {}, { method: 'POST', body })) as SuggestionAnswer;
  }

  async runs(path: string): Promise<RunsAnswer> {
    return (await this._json('runs', { path })) as RunsAnswer;
  }

  async monitors(path: string): Promise<readonly MonitorAnswer[]> {
    const { monitors } = (await this._json('monitors', { path })) as {
      monitors: readonly MonitorAnswer[];
    };
    return monitors;
  }

  async run(path: string, run: string): Promise<RunDetail> {
    return (await this._json(`runs/${encodeURIComponent(run)}`, { path })) as RunDetail;
  }

  async compare(path: string, runs: readonly string[]): Promise<readonly Section[]> {
    const words = [['path', path], ...runs.map(run => ['run', run])];
    const query = new URLSearchParams(words).toString();
    const answer = await this._json(`compare?${query}`, {});
    return (answer as { sections: Section[] }).sections;
  }

  async start(order: Order): Promise<string> {
    const body = JSON.stringify({ verb: 'run', ...order });
    return ((await this._json('jobs', {}, { method: 'POST', body })) as { job: string }).job;
  }

  /** Runs that were started for the panel. That a page asks does not mean that somebody works on this server. */
  async jobs(path: string): Promise<JobsAnswer> {
    return (await this._json('jobs', { path, no_track_activity: '1' })) as JobsAnswer;
  }

  async cancel(path: string, job: string): Promise<void> {
    await this._json(`jobs/${encodeURIComponent(job)}`, { path }, { method: 'DELETE' });
  }

  async values(path: string, stage: string): Promise<ValuesAnswer> {
    return (await this._json('values', { path, stage })) as ValuesAnswer;
  }

  async figures(path: string, stage: string): Promise<FiguresAnswer> {
    return (await this._json('figures', { path, stage })) as FiguresAnswer;
  }

  async exporters(): Promise<readonly ExporterAnswer[]> {
    return ((await this._json('exporters', {})) as { exporters: ExporterAnswer[] }).exporters;
  }

  async exportPreview(
    name: string,
    path: string,
    options: Readonly<Record<string, string | number | boolean | null>>
  ): Promise<readonly FileAnswer[]> {
    const route = `exporters/${encodeURIComponent(name)}/preview`;
    const body = JSON.stringify({ path, options });
    return ((await this._json(route, {}, { method: 'POST', body })) as { files: FileAnswer[] })
      .files;
  }

  /** Write them; an `ApiError` of status 409 where some were edited since, and may not be written over. */
  async exportFiles(
    name: string,
    path: string,
    folder: string,
    options: Readonly<Record<string, string | number | boolean | null>>,
    overwrite: boolean
  ): Promise<WrittenAnswer> {
    const route = `exporters/${encodeURIComponent(name)}/files`;
    const body = JSON.stringify({ path, folder, options, overwrite });
    return (await this._json(route, {}, { method: 'POST', body })) as WrittenAnswer;
  }

  /** Where a route's answer can be opened in a tab of its own. */
  address(route: string, path: string): string {
    const url = URLExt.join(this._settings.baseUrl, 'stagebook', 'api', route);
    return url + URLExt.objectToQueryString({ path });
  }

  /**
   * Follow a job's events, from its first on, until it has ended; a connection that breaks is taken up where it was.
   *
   * @returns how it ended
   */
  async follow(
    path: string,
    job: string,
    told: (event: RunEvent) => void,
    signal: AbortSignal
  ): Promise<JobEnd> {
    let last = '';
    for (let failed = 0; ; failed++) {
      try {
        for await (const event of this._events(path, job, last, signal)) {
          failed = 0;
          last = event.id || last;
          if (event.event === 'end') {
            return JSON.parse(event.data) as JobEnd;
          }
          told(JSON.parse(event.data) as RunEvent);
        }
      } catch (error) {
        const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (signal.aborted || refused) {
          throw error;
        }
      }
      await later(RETRIES[Math.min(failed, RETRIES.length - 1)] ?? 0, signal);
    }
  }

  private async *_events(path: string, job: string, last: string, signal: AbortSignal) {
    const headers = { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) };
    const init = { headers, signal, cache: 'no-store' as const };
    const response = await this._ask(`jobs/${encodeURIComponent(job)}/events`, { path }, init);
    const reader = response.body?.getReader();
    if (reader === undefined) {
      return;
    }
    const decoder = new TextDecoder();
    const events = new EventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      yield* events.take(decoder.decode(value, { stream: true }));
    }
  }

  private async _json(route: string, query: Query, init: RequestInit = {}): Promise<unknown> {
    const response = await this._ask(route, query, init);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  }

  private async _ask(route: string, query: Query, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this._settings.baseUrl, 'stagebook', 'api', route);
    const whole = url + (Object.keys(query).length === 0 ? '' : URLExt.objectToQueryString(query));
    const headers = new Headers(init.headers);
    if (init.body !== undefined) {
      headers.set('Content-Type', 'application/json');
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(whole, { ...init, headers }, this._settings);
    } catch (error) {
      throw init.signal?.aborted === true ? error : new ApiError('The server does not answer.', 0);
    }
    if (!response.ok) {
      throw new ApiError(messageOf(await response.text()), response.status);
    }
    return response;
  }

  private readonly _settings: ServerConnection.ISettings;
}

/** The notebook is JSON already: it is put in as it is. */
function withNotebook(rest: object, notebook: string): string {
  return `${JSON.stringify(rest).slice(0, -1)},"notebook":${notebook}}`;
}

/** What the server says of an error; empty where it is not Stagebook's side of it that speaks. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}

function later(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
