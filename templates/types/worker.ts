// What the worker's scripts share beside each other's declarations: the engines in front of them, and Python's side.

declare const ort: typeof import("onnxruntime-common");
declare const loadPyodide: typeof import("pyodide").loadPyodide;
declare var _createPyodideModule: NonNullable<import("pyodide").PyodideConfig["createPyodideModule"]>;
declare var ortModuleAddress: string; // where the engine's threads find their module (sitegen/site/engines/classic.py)

type Pyodide = import("pyodide").PyodideAPI;
type PyProxy = import("pyodide/ffi").PyProxy;
type OrtSession = import("onnxruntime-common").InferenceSession;
type OrtTensor = import("onnxruntime-common").Tensor;
type SessionOptions = import("onnxruntime-common").InferenceSession.SessionOptions;

// `Session` of sitegen_runtime/browser.py, and the list [kind, JSON text, bytes or None] that it answers with.
interface PythonMessage extends PyProxy {
  get(index: 0 | 1): string;
  get(index: 2): import("pyodide/ffi").PyBuffer | undefined;
}

interface PythonSession extends PyProxy {
  begin(): PythonMessage;
  answer(value: unknown): PythonMessage;
  fail(code: string, message: string): PythonMessage;
}

type Tell = (done: number) => void; // which share of a file's check is done
type StartSession = (data: PyProxy, name: string, description: PyProxy, options: string, tell?: Tell) => PythonSession;

type PyodideOptions = import("pyodide").PyodideConfig;

// What a job ends with (sitegen_runtime/browser.py): the page knows which kind has which fields.
interface JobEnd extends Partial<PictureDetails> {
  document?: ResultDocument | GradientResult["document"];
  verdict?: Verdict;
  bytes: Uint8Array<ArrayBuffer> | null;
}

interface RunRequest {
  role: string;
  inputs: { name: string; shape: number[] }[];
  outputs: string[];
  reference: boolean;
}

interface RowsRequest {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Places {
  start: number;
  step: number;
  count: number;
}

interface PixelsRequest {
  rows: Places;
  columns: Places;
}

interface CellGrid {
  left: number;
  top: number;
  width: number;
  height: number;
  columns: number;
  rows: number;
  samples: "first" | "luma" | "colours" | "pair";
}

// Blocks to be counted (sitegen_runtime/formats/jpeg_tables.py): Huffman codes, and which of them each block of an MCU has.
interface BlocksRequest {
  codes: string[];
  slots: [dc: number, ac: number][];
  first: number;
  last: number;
  most: number;
}

interface FrameRequest extends WantedFrame {
  codec: string;
}

interface ShadeRequest {
  width: number;
  height: number;
  cell_bytes: number; // 1 or 2
}

// What Python asks for, by its kind (sitegen_runtime/requests.py), and the end.
type PythonRequest = { bytes: Uint8Array<ArrayBuffer> | null } & (
  | { kind: "progress"; fields: { stage: string; done: number } }
  | { kind: "open"; fields: { type: string } }
  | { kind: "rows"; fields: RowsRequest }
  | { kind: "pixels"; fields: PixelsRequest }
  | { kind: "sums"; fields: { grids: CellGrid[] } }
  | { kind: "decode"; fields: FrameRequest }
  | { kind: "shade"; fields: ShadeRequest }
  | { kind: "load"; fields: { role: string } }
  | { kind: "file"; fields: { name: string } }
  | { kind: "run"; fields: RunRequest }
  | { kind: "sketch"; fields: Omit<MapResult, "bytes"> | Omit<ProjectionSketch, "bytes"> }
  | { kind: "end"; fields: Omit<JobEnd, "bytes"> }
);
