// Documents as docs/result.md and docs/gradient-document.md have them, and what Python says of them in words
// (sitegen_runtime/wording). A test holds these types against what Python makes.

interface ErrorEntry {
  code: string;
  message: string;
}

interface ImageEntry {
  name: string;
  type: string | null;
  width: number | null;
  height: number | null;
  bits: number | null;
  sha256: string | null;
  notes: string[];
}

interface BundleIdentity {
  name: string;
  version: string;
  sha256: string;
}

interface EngineEntry {
  runtime: string;
  provider: string;
  threads: number;
  note?: string;
}

interface SeenEntry {
  share: number;
  square: number[]; // left, top, width and height
  gate?: { share: number; square: number[] }; // where it sees another square
}

interface DocumentHead {
  schema: string;
  image: ImageEntry;
  bundle: BundleIdentity;
  engine: EngineEntry;
  tensors: Record<string, string>;
  seen?: SeenEntry; // once the image was scaled
  timings: Record<string, number>; // milliseconds
  notes: string[];
}

interface FailedDocument extends DocumentHead {
  error: ErrorEntry;
}

interface ScoreEntry {
  metric: string;
  value: number;
  threshold: number;
  higher: "alike" | "unlike";
  passed: boolean;
  position: number | null;
}

interface CheckEntry {
  check: string;
  message: string;
  correction: string | null;
}

interface GateEntry {
  metric: string;
  score: number;
  threshold: number;
  accepted: boolean;
  reason: string | null;
  position: number | null;
  scores: ScoreEntry[];
  checks: CheckEntry[];
}

interface FindingEntry {
  label: string;
  logit: number;
  probability: number;
  operating_point: number;
  calibrated: number | null;
  calibration: string | null;
  calibrated_operating_point: number | null;
}

interface ExplanationEntry {
  finding: string;
  method: string;
  shape?: number[];
  min?: number;
  max?: number;
  sha256?: string;
  values?: number[];
  runs?: number;
  runs_asked?: number;
  largest_error?: number;
  standard_errors?: number[];
  error?: ErrorEntry;
}

interface EffectEntry {
  label: string;
  before: number;
  after: number;
  effect: number;
  logit_effect: number;
  calibrated_before: number | null;
  calibrated_after: number | null;
}

interface AttackEntry {
  method: string;
  strength: number;
  steps: number;
  finding: string | null; // all
  seed: number;
}

interface WhatIfEntry {
  regions?: number[][]; // left, top, width and height
  filling?: string;
  cells?: number;
  attack?: AttackEntry;
  loss?: { before: number; after: number };
  findings?: EffectEntry[];
  gate?: GateEntry | null;
  error?: ErrorEntry;
}

interface ProjectionEntry {
  steps: number;
  steps_asked: number;
  seed: number;
  space: string;
  distances: number[][];
  error: number;
  similarity: number;
  worst: { x: number; y: number; size: number; error: number };
  sha256: string;
}

interface JudgedDocument extends DocumentHead {
  gate: GateEntry | null;
  correction?: string;
  forced?: boolean;
}

interface AnalysedDocument extends JudgedDocument {
  findings: FindingEntry[];
  explanations?: ExplanationEntry[];
  what_if?: WhatIfEntry[];
  projection?: ProjectionEntry;
}

type ResultDocument = AnalysedDocument | FailedDocument;

interface GradientEntry {
  role: string;
  shape: number[];
  min: number;
  max: number;
  sha256: string;
}

interface Badge {
  short: string;
  long: string;
}

interface FailureWords {
  headline: string;
  details: string[];
}

interface PredictiveWords {
  prevalence: number; // 0 to 1
  name: string; // of it
  text: string;
}

interface SeenWords {
  text: string;
  share: number; // of the image, that was seen
  square: number[]; // left, top, width and height, in pixels of the upright image
}

interface FindingWords {
  label: string;
  share: number;
  mark: number;
  value: number;
  percent: string;
  verdict: string;
  text: string;
  spoken: string;
  above: boolean;
  meaning: string;
  weak: string | null;
  known: string[]; // from the bundle's figures
  predictive: PredictiveWords[]; // none where nothing was measured
  absence: boolean; // of all findings: nothing to be alarmed by
  rank: number; // from 0: above first, then the farthest above
}

interface MeasureHead {
  label: string;
  text: string;
  passed: boolean;
  verdict: string;
  telling: boolean;
}

interface PlacedMeasure extends MeasureHead {
  sentence: string;
  share: number;
  mark: number;
  percent: number;
  scale: string;
  spoken: string;
}

interface UnplacedMeasure extends MeasureHead {
  sentence: null;
  share: null;
  mark: null;
  percent: null;
  scale: null;
  spoken: null;
}

type MeasureWords = PlacedMeasure | UnplacedMeasure;

interface OfferWords {
  correction: string;
  message: string;
  button: string;
}

interface GateWords {
  accepted: boolean;
  plain: string | null; // why nothing was analysed, without figures
  measures: MeasureWords[];
  offers: OfferWords[];
  captions: { image: string; reconstruction: string; errors: string };
  ends: { alike: string; unlike: string };
  names: { all: string; others: string };
}

interface ForceWords {
  button: string;
  question: string;
  confirm: string;
}

interface PictureWords {
  plain: string;
  errors: string;
  reconstruction: string;
  unmapped: string;
}

interface TimeWords {
  name: string;
  rows: { stage: string; text: string }[];
}

interface ResultWords extends FailureWords {
  outcome: "failed" | "refused" | "findings";
  verdict: string;
  strongest: string | null;
  row: string;
  seen: SeenWords | null; // null where all was seen
  findings: FindingWords[];
  gate: GateWords | null;
  correction: { done: string; undo: string } | null;
  force: ForceWords | null;
  pictures: PictureWords | null;
  badge: Badge | null;
  marks: string[];
  times: TimeWords | null;
  explanations?: MethodsWords | null;
  what_if_choices?: WhatIfChoices | null;
  what_if?: TryWords[]; // of a document that holds some
  projection_offer?: ProjectionOffer | null;
  projection?: ProjectionWords | null; // of a document that holds one
}

interface ProjectionOffer {
  steps: { value: number; name: string }[];
  seconds: { value: number; name: string }[];
  spaces: { value: string; name: string }[];
  chosen: { steps: number; seconds: number; space: string };
  side: number;
}

interface ProjectionWords {
  summary: string;
  details: string[];
  curve: number[][]; // pairs from 0 to 1: how far along, how high
  frame: [left: number, top: number, side: number]; // shares of the picture's side
}

interface StageWords {
  stage: string;
  name: string;
  begins: number;
  ends: number;
}

interface LegendWords {
  least: string;
  most: string;
}

interface FindingChoice {
  finding: string;
  name: string;
  isAll: boolean;
}

interface MethodChoice {
  method: string;
  name: string;
  choice: string;
  sentence: string;
  warning: string | null;
  reason: string | null;
}

interface RangeControl {
  key: string;
  name: string;
  value: number;
  least: number;
  most: number;
  step: number;
  unit: string;
  choices?: undefined;
}

interface ChoiceControl {
  key: string;
  name: string;
  value: string;
  choices: { value: string; name: string }[];
}

type LookControl = RangeControl | ChoiceControl;

interface MethodsWords {
  name: string;
  open: string;
  missing: string;
  findings: FindingChoice[];
  methods: MethodChoice[];
  method: string;
  look: { name: string; controls: LookControl[] };
  legend: LegendWords;
  stages: StageWords[];
  stopped: FailureWords;
}

interface MapWords {
  title: string;
  place: string;
  worth: string | null;
  made: string | null;
  alternative: string;
  badge: Badge | null;
  marks: string[];
  file: string;
  saved: { lines: string[]; legend: LegendWords };
}

interface FillingChoice {
  value: string;
  name: string;
  sentence: string;
  reason: string | null; // why it cannot be chosen
}

interface NoiseChoices {
  reason: string | null; // why there is none
  kinds: { value: string; name: string; sentence: string; several: boolean }[];
  sizes: { value: number; name: string }[];
  steps: { value: number; least: number; most: number };
  findings: { value: string | null; name: string }[];
}

interface WhatIfChoices {
  fillings: FillingChoice[];
  filling: string;
  grids: { cells: number; name: string }[];
  noise: NoiseChoices;
}

interface ChangeWords {
  label: string;
  before: string;
  after: string;
  change: string;
  start: number; // shares from 0 to 1, as those of findings
  end: number;
  mark: number;
  above: boolean;
  crossed: string | null;
  moved: boolean;
  spoken: string;
}

interface TryWords {
  name: string; // these three hold a place for its number
  show: string;
  remove: string;
  title: string;
  brief: string;
  summary: string;
  findings: ChangeWords[];
  gate: { accepted: boolean | null; text: string } | null;
  problem: string | null;
}

interface PageFailure {
  error: ErrorEntry;
  wording: ResultWords;
}

interface PageWords {
  stages: StageWords[];
  failures: Record<"cancelled" | "unreadable" | "given-up" | "failed", PageFailure>;
  projection: Record<string, string>;
  report: Record<string, string>;
  teaching: Record<string, string>;
  what_if: Record<string, string>;
  work_list: Record<string, string>;
}

interface Verdict {
  role: string;
  differences: Record<string, number>;
  problem: string | null;
}
