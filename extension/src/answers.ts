/** What the server answers: see `magics/stagebook/lab/openapi.yaml`. The fixture `answers.json` holds both to it. */

/** A cell that the server speaks of. */
export interface CellPlace {
  readonly id: string;
  /** Its position among all cells, from 0. */
  readonly index: number;
  /** Its number among code cells, from 1. */
  readonly number: number;
}

/** Null for what is no finite number. */
export type Metrics = Readonly<Record<string, number | null>>;

export interface StageAnswer {
  readonly name: string;
  readonly cells: readonly CellPlace[];
  /** Empty where it cannot be told. */
  readonly state: string;
  readonly reason: string;
  readonly changes: readonly string[];
  readonly duration: number | null;
  readonly started: string;
  readonly run: string;
  readonly reads: readonly { readonly name: string; readonly source: string }[];
  readonly makes: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly facts: readonly (readonly string[])[];
  readonly metrics: Metrics;
  readonly actions: { readonly this: string; readonly from: string };
  readonly kept: boolean;
  readonly values: boolean;
}

export interface EdgeAnswer {
  readonly source: string;
  readonly target: string;
  readonly names: readonly string[];
  readonly label: string;
}

export interface ParameterAnswer {
  readonly name: string;
  readonly kind: string | null;
  readonly default: unknown;
  /** The default as a run takes it. */
  readonly text: string;
  readonly literal: boolean;
  readonly optional: boolean;
  readonly help: string;
  readonly secret: boolean;
  readonly known: boolean;
  readonly low: number | null;
  readonly high: number | null;
  readonly low_open: boolean;
  readonly high_open: boolean;
  readonly choices: readonly unknown[];
  readonly bounds: string;
}

/** A change of the notebook that mends a finding. */
export interface FixAnswer {
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

/** What becomes of a cell; null leaves that as it is. */
export interface FixEdit {
  readonly cell: string;
  readonly index: number;
  readonly tags: readonly string[] | null;
  readonly source: string | null;
}

export interface FindingAnswer {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly remedy: string;
  readonly cell: CellPlace | null;
  readonly line: number | null;
  readonly stage: string | null;
  readonly fixes: readonly FixAnswer[];
}

export interface Analysis {
  readonly title: string;
  readonly saved: boolean;
  readonly stages: readonly StageAnswer[];
  readonly edges: readonly EdgeAnswer[];
  readonly parameters: readonly ParameterAnswer[];
  readonly picture: string;
  readonly cells: readonly (CellPlace & { readonly role: string; readonly stage: string | null })[];
  readonly findings: readonly FindingAnswer[];
  readonly run_all: string;
  readonly last: { readonly id: string; readonly state: string } | null;
  readonly notes: readonly string[];
  readonly trouble: string;
}

export interface SuggestedCell extends CellPlace {
  readonly role: string;
  readonly stage: string | null;
  readonly tag: string | null;
  readonly new: boolean;
  readonly why: string;
  readonly metrics: readonly string[];
  readonly code: string;
}

export interface SuggestionAnswer {
  readonly cells: readonly SuggestedCell[];
  readonly errors: readonly { readonly message: string }[];
}

export interface RunStage {
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly duration: number;
  readonly metrics: Metrics;
}

export interface RunAnswer {
  readonly id: string;
  readonly state: string;
  readonly started: string;
  readonly duration: number | null;
  readonly ran: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly metrics: Metrics;
  readonly stages: readonly RunStage[];
  readonly output: string | null;
  readonly page: string | null;
}

export interface RunsAnswer {
  readonly runs: readonly RunAnswer[];
  readonly metrics: readonly string[];
  readonly parameters: readonly string[];
  readonly mlflow: { readonly url: string | null; readonly command: string | null };
}

/** Where and how a stage of a run failed. */
export interface FailureAnswer {
  readonly stage: string;
  readonly cell: CellPlace | null;
  readonly line: number | null;
  readonly name: string;
  readonly message: string;
  readonly traceback: string;
}

export interface CellLog {
  readonly stage: string;
  readonly cell: CellPlace;
  readonly duration: number | null;
  readonly failed: boolean;
  readonly text: string;
}

export interface RunDetail extends RunAnswer {
  readonly failures: readonly FailureAnswer[];
  readonly log: readonly CellLog[];
}

export interface Section {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly below: readonly string[];
}

interface JobAnswer {
  readonly job: string;
  readonly path: string;
  readonly running: boolean;
  readonly run: string;
  readonly state: string;
  readonly started: string;
  readonly words: readonly string[];
}

export interface JobsAnswer {
  readonly jobs: readonly JobAnswer[];
  /** Stands for the newest run, however it was started, and for how far it is. */
  readonly latest: string;
}

/** How a job ended. */
export interface JobEnd {
  readonly state: string;
  readonly run: string;
  readonly errors: string;
}

/** A value at a glance. */
export interface Preview {
  readonly name: string;
  readonly type: string;
  readonly about: string;
  readonly text?: string;
  readonly heads?: readonly string[];
  readonly kinds?: readonly string[];
  readonly rows?: readonly (readonly string[])[];
}

interface OfStage {
  readonly stage: string;
  readonly run: string;
  /** What has been changed since. */
  readonly changed: string;
}

export interface ValuesAnswer extends OfStage {
  readonly values: readonly Preview[];
}

export interface FiguresAnswer extends OfStage {
  readonly figures: readonly string[];
  /** Of comparisons: HTML that is to be sanitized. */
  readonly cards: readonly string[];
}

export interface ExporterOption {
  readonly name: string;
  readonly kind: string;
  readonly default: string | number | boolean | null;
  readonly help: string;
  readonly choices: readonly string[];
}

/** What a monitor has said of a window of time. */
export interface ReportedWindow {
  readonly window: string;
  readonly end: string;
  readonly version: string;
  readonly rows: number;
  /** Of drifted features; null for too few rows. */
  readonly share: number | null;
  /** Whether the data as a whole has drifted. */
  readonly detected: boolean;
  readonly drifted: readonly string[];
  readonly performance: Metrics;
  readonly note: string;
  /** What became of a retraining; empty for none. */
  readonly retrained: string;
}

export interface MonitorAnswer {
  readonly model: string;
  /** The oldest first. */
  readonly windows: readonly ReportedWindow[];
  /** Why there is no history to read. */
  readonly trouble: string;
}

export interface ExporterAnswer {
  readonly name: string;
  readonly title: string;
  readonly says: string;
  readonly options: readonly ExporterOption[];
}

export interface FileAnswer {
  readonly path: string;
  /** Null for what is no text. */
  readonly text: string | null;
  readonly size: number;
}

export interface WrittenAnswer {
  /** Relative to the server's root directory. */
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly state: string }[];
}

/** An event of a run, as `stagebook run --json` prints it. */
export interface RunEvent {
  readonly event: string;
  readonly run?: string;
  readonly stage?: string | null;
  readonly state?: string;
  readonly reason?: string;
  readonly message?: string;
  /** The cell's number. */
  readonly number?: number;
  /** What it has printed since the last time. */
  readonly text?: string;
  readonly position?: number;
  readonly total?: number;
  readonly done?: number;
  readonly duration?: number;
  readonly metrics?: Metrics;
  readonly failure?: EventFailure | null;
}

/** Of a stage that failed; numbers are 0 where they are not known. */
export interface EventFailure {
  readonly cell: number;
  readonly line: number;
  readonly name: string;
  readonly message: string;
  readonly remedy: string;
}
