// What the page and a codec's worker send each other, and what of the codecs' own programs is called.

interface WantedFrame {
  columns: number;
  rows: number;
  precision: number; // bits of a cell
}

interface FrameMessage {
  codec: string;
  frame: ArrayBuffer;
  wanted: WantedFrame;
  program?: ArrayBuffer; // WebAssembly
}

type FrameAnswer = { cells: ArrayBuffer } | { cells: null; code: string; message: string };
