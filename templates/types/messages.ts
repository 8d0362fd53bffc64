// What page and worker send each other, and what a job ends with.

type Encoded = ArrayBuffer | Uint8Array<ArrayBuffer>; // an image, as it is in a file
type Packed = Record<string, ArrayBuffer>; // compressed assets by name

interface GraphFiles {
  file: string;
  weights: Record<string, string>; // place in the graph -> asset
}

interface BundleEntry extends BundleIdentity {
  title: string;
  card: string;
  labels: string[];
  description: string;
  graphs: Record<string, GraphFiles>;
  files: Record<string, string>;
  roles: string[];
  start: string[];
  assets: string[];
  example: ExampleEntry | null;
}

interface ExampleEntry {
  asset: string;
  name: string;
}

interface Boot {
  wheel: string;
  lock: string;
  snapshot: boolean;
  decoder: "worker" | "page";
  engine: EngineEntry;
  packages: Record<string, string>;
}

interface GraphicsCard {
  name: string;
  isSoftware: boolean;
}

interface Plan {
  provider: "wasm" | "webgpu";
  threads: number;
  isLow: boolean;
  note: string | null;
  card?: GraphicsCard;
}

type JobKind = "analyse" | "gradient" | "explain" | "what-if" | "project" | "draw" | "words";

interface JobMessage {
  kind: JobKind;
  id: number;
  bytes: ArrayBuffer;
  name: string;
  bundle: string;
  details: object; // the options of the kind (sitegen_runtime/browser.py)
}

interface PictureDetails {
  orientation: number;
  inverted: boolean;
  side?: number;
  type?: string | null; // of the file
}

interface BootMessage {
  kind: "boot";
  lifeline: string;
  assets: Packed;
  boot: Boot & Plan;
  bundles: BundleEntry[];
}

interface PictureMessage {
  kind: "picture";
  id: number;
  bytes: ArrayBuffer;
  details: PictureDetails;
}

type ToWorker =
  | BootMessage
  | JobMessage
  | PictureMessage
  | { kind: "cancel"; id: number }
  | { kind: "decoded"; bitmap: ImageBitmap | null }
  | { kind: "files"; files: Packed | null }
  | { kind: "cells"; answer: FrameAnswer };

interface AnalysisFields extends PictureDetails {
  document: ResultDocument;
  wording: ResultWords & { explanations: MethodsWords | null; what_if_choices: WhatIfChoices | null };
  squares: Record<string, [left: number, top: number, width: number, height: number]>;
  overlay: number | null; // side of the pictures in `bytes`
  bytes: Uint8Array<ArrayBuffer> | null;
}

interface DrawnAnalysis extends AnalysisFields {
  document: AnalysedDocument;
  wording: AnalysisFields["wording"] & { pictures: PictureWords };
  preview: ImageBitmap;
}

interface GatedAnalysis extends DrawnAnalysis {
  overlay: number;
  bytes: Uint8Array<ArrayBuffer>;
}

interface UndrawnAnalysis extends AnalysisFields {
  preview: null;
}

// Of the page itself, where the worker has nothing to say any more.
interface FailedResult {
  document: FailedDocument;
  wording: ResultWords;
  preview: null;
  bytes: null;
}

interface MapPicture {
  width: number;
  height: number;
}

interface MapResult {
  document: AnalysedDocument;
  wording: MapWords;
  map: { shape: [rows: number, columns: number] };
  square: [left: number, top: number, width: number, height: number];
  picture: MapPicture;
  bytes: Uint8Array<ArrayBuffer>;
}

interface MissingMap {
  document: ResultDocument;
  wording: FailureWords;
  map?: undefined;
}

interface WhatIfResult {
  document: AnalysedDocument;
  wording: FailureWords; // where there are no tries
  tries: TryWords[];
  size: [rows: number, columns: number]; // of the pictures in `bytes`
  bytes: Uint8Array<ArrayBuffer> | null; // the pictures with noise, RGBA, one after the other
}

// As far as it has come.
interface ProjectionSketch {
  step: number;
  steps: number;
  curve: number[][];
  side: number;
  bytes: Uint8Array<ArrayBuffer>;
}

type Sketched = MapResult | ProjectionSketch; // a map or a projection as far as it has come

interface ProjectionResult {
  document: AnalysedDocument;
  wording: FailureWords; // where there is no projection
  projection?: { entry: ProjectionEntry; wording: ProjectionWords };
  side: number; // of the pictures in `bytes`: the reconstruction, then where it differs
  square: [left: number, top: number, width: number, height: number];
  bytes: Uint8Array<ArrayBuffer>;
}

interface GradientResult {
  document: JudgedDocument & { seed: Record<string, number>; logits: Record<string, number>; gradients: GradientEntry[] };
  bytes: Uint8Array<ArrayBuffer> | null; // null where there are no gradients
}

// What each kind of job ends with.
interface JobResults {
  analyse: DrawnAnalysis | UndrawnAnalysis | FailedResult;
  gradient: GradientResult | FailedResult;
  explain: MapResult | MissingMap | FailedResult;
  "what-if": WhatIfResult | FailedResult;
  project: ProjectionResult | FailedResult;
  draw: { picture: MapPicture; bytes: Uint8Array<ArrayBuffer> } | FailedResult;
  words: { document: ResultDocument | null; wording: ResultWords | null } | FailedResult;
  picture: { preview: ImageBitmap | null };
}

type JobResult = JobResults[keyof JobResults];

type FromWorker =
  | { kind: "alive" }
  | { kind: "booting"; stage: "python" | "networks" }
  | { kind: "decode"; bytes: Encoded; type: string; options: ImageBitmapOptions }
  | { kind: "files"; names: string[] }
  | ({ kind: "frame" } & FrameMessage)
  | { kind: "ready"; times: Record<string, number>; engine: EngineEntry }
  | { kind: "compared"; verdict: Verdict }
  | { kind: "fatal"; message: string; code?: string }
  | { kind: "accepted"; id: number }
  | { kind: "progress"; id: number; stage: string; done: number }
  | ({ kind: "sketch"; id: number } & Sketched)
  | ({ kind: "result"; id: number } & JobResult);

interface CodedError extends Error {
  code?: string;
}
