// What the page's scripts share beside each other's declarations, and what browsers have that TypeScript does not know yet.

interface AssetEntry {
  parts: string[]; // scripts
  scripts: string[]; // the SHA-256 of each, in base64
  sha256: string;
  bytes: number;
  packed: number; // bytes, too, as they travel
}

interface Site {
  assets: Record<string, AssetEntry>;
  common: string[];
  boot: Boot;
  failures: Record<"analyse" | "explain" | "gradient", FailedDocument>;
  bundles: [BundleEntry, ...BundleEntry[]];
  examples: ExampleEntry[];
  offline: boolean;
  keeps_list: boolean; // where somebody asks for it
  providers: Record<Plan["provider"], string[]>;
  codecs: Record<string, { title: string; assets: string[] }>;
  words: PageWords;
  version: string; // of sitegen
  report_style: string;
  teaching: CaseEntry[] | null;
}

declare const SITE: Site; // written in front of the scripts by sitegen/site/page.py
declare const sha256: typeof import("js-sha256").sha256;
declare var sitegenAsset: (file: string, holder: () => void) => void;
declare var sitegen: PageApi;

interface EngineChoice {
  provider: string;
  threads: string;
  memory: string;
}

type ProgressListener = (progress: { stage: string; done: number }) => void;
type SketchListener = (sketch: Sketched) => void;

// Those of sitegen.analyse and sitegen.gradient (docs/page-api.md), and the page's own.
interface JobOptions {
  name?: string;
  bundle?: string;
  force?: boolean;
  correction?: string | null;
  signal?: AbortSignal;
  onProgress?: ProgressListener;
  onSketch?: SketchListener;
  isUrgent?: boolean;
}

interface AnalyseOptions extends JobOptions {
  explain?: { finding: string; method: string; runs?: number }[];
  values?: boolean;
  whatIf?: { regions: number[][]; filling: string }[];
  keep?: string;
}

interface GradientOptions extends JobOptions {
  seed?: Record<string, number>;
}

interface Described extends BundleIdentity {
  title: string;
  labels: readonly string[];
}

interface Running extends Partial<EngineEntry> {
  lowMemory: boolean;
  compared: Verdict[];
}

interface PageApi {
  ready: Promise<{ bundle: BundleIdentity; labels: string[] }>;
  bundles: readonly Readonly<Described>[];
  configure(choice?: Partial<EngineChoice>): Promise<Running>;
  analyse(blob: Blob, options?: AnalyseOptions): Promise<AnalysedDocument>;
  gradient(blob: Blob, options?: GradientOptions): Promise<GradientAnswer>;
}

interface GradientAnswer {
  document: GradientResult["document"];
  values: Record<string, Float32Array>;
}

type QueuedKind = keyof JobResults;

// What a failure can be told of.
interface JobSubject {
  kind: QueuedKind;
  name: string;
  bundle: BundleIdentity;
}

interface RunOptions {
  name: string;
  bundle: BundleEntry;
  details: object;
  isUrgent?: boolean;
  onProgress?: ProgressListener;
  onSketch?: SketchListener;
  signal?: AbortSignal;
}

interface Job extends RunOptions {
  id: number;
  kind: QueuedKind;
  blob: Blob;
  isUrgent: boolean;
  resolve: (result: JobResult) => void;
  attempts: number;
  cancelled?: boolean;
}

// What listeners are told while the engine starts, and later of what it has to load or to give up.
type BootEvent =
  | { stage: "assets"; done: number }
  | { stage: "bundle"; bundle: BundleEntry; done: number }
  | { stage: "running"; plan: Plan }
  | { stage: "failed"; error: Error }
  | { stage: "one-thread" | "python" | "networks" | "ready" };

type BootListener = (event: BootEvent) => void;

interface WatchedWorker extends Worker {
  lifeline: string;
}

type Picture = HTMLCanvasElement | ImageBitmap;

interface MapPlace {
  square: [left: number, top: number, width: number, height: number];
  size: [width: number, height: number];
  badge: Badge | null;
}

interface DrawnMap {
  width: number;
  height: number;
  pixels: Uint8Array<ArrayBuffer>;
  legend: Uint8Array<ArrayBuffer>;
}

interface ShownMap {
  values: Blob; // float32
  shape: [rows: number, columns: number];
  entry: ExplanationEntry[];
  wording: MapWords;
  drawn: DrawnMap;
}

type Look = Record<string, number | string>;

interface Uint8ArrayConstructor {
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}

interface Navigator {
  readonly deviceMemory?: number;
  readonly connection?: { readonly saveData: boolean };
}

interface GPUAdapter {
  readonly isFallbackAdapter?: boolean; // where it is not of the adapter's `info` yet
}

// The list of images (list/work_list.js).
type WorkState = "waiting" | "working" | "done" | "refused" | "failed" | "cancelled";
type WorkOrder = "added" | "name" | "strongest" | "state";
type WorkFilter = "all" | "above" | "refused" | "failed" | "pending";
type PaneName = "list" | "image" | "findings";
type AnalysisResult = JobResults["analyse"];

interface WorkItem {
  number: number; // counted from 1 in this visit; never used twice
  blob: Blob;
  name: string;
  bundle: BundleEntry; // the model that judges it, now and whenever it is asked again
  options: AnalyseOptions;
  state: WorkState;
  stage: string | null; // what is being done, in words
  share: number; // of that, from 0 to 1
  isAsked: boolean; // by a person, on its card: goes before all others
  keep: string; // what the worker keeps for maps of the last analysis
  document: ResultDocument | null;
  summary: WorkSummary | null;
  stored: { fields: Blob; bytes: Blob | null } | null; // the whole result but its picture (list/kept_results.js)
  thumbnail: string | null; // a data: address
  isSaved: boolean;
  note: string; // the user's own
  time: string | null; // when it was analysed
  away: string | null; // SHA-256 of a file that was not chosen again since its session was opened
  bytes: number; // of that file
  lesson: Lesson | null;
  maps: OpenMaps | null; // those that were open when its card was thrown away
  tries: Try[]; // regions of the what-if tool, in the order in which they were tried
  isTrying: boolean; // that tool is open
  projection: Projection | null; // the last one
}

interface Projection {
  entry: ProjectionEntry;
  wording: ProjectionWords;
  pictures: { side: number; square: [left: number, top: number, width: number, height: number]; bytes: Uint8Array<ArrayBuffer> } | null; // of a session there are none
}

interface OpenMaps {
  views: { finding: string; method: string }[];
  look: Look;
}

// What the browser keeps of an image of the list, its file apart (list/kept_list.js).
interface KeptEntry {
  name: string;
  site: string; // SHA-256 of the list of its assets
  bundle: string;
  sha256: string; // of that
  options: { force: boolean; correction: string | null };
  fields: Partial<WorkItem>;
}

interface WorkSummary {
  outcome: ResultWords["outcome"];
  verdict: string;
  row: string;
  isAbove: boolean;
  isForced: boolean;
  strength: number;
}

type WorkEvent =
  | { kind: "items" } // something was added, removed or brought back
  | { kind: "selected" }
  | { kind: "view" } // order, filter or pause
  | { kind: "item"; item: WorkItem; fields: Partial<WorkItem> };

// What came in at once.
interface Intake {
  images: File[];
  others: number; // files that are no images, left out
  hasDirectory?: boolean; // a disc's table of contents is among them
  isFolder: boolean;
  isLink: boolean;
  isUnreadable?: boolean; // a folder that this browser keeps to itself
}

interface DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>; // Chromium
}
