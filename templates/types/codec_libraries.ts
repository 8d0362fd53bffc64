// The codecs in front of the codec worker's scripts (sitegen/site/engines/codecs.py), as far as they are called.

interface FrameInfo {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
}

interface CompiledDecoder {
  getEncodedBuffer(length: number): Uint8Array<ArrayBuffer>;
  getFrameInfo(): FrameInfo;
  decode(): void;
  getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
}

type StartCodec<T> = (options: { wasmBinary?: ArrayBuffer; print(): void; printErr(): void }) => Promise<T>;

declare const CharLSWASM: StartCodec<{ JpegLSDecoder: new () => CompiledDecoder }>;
declare const OpenJPEGWASM: StartCodec<{ J2KDecoder: new () => CompiledDecoder }>;

declare class LosslessDecoder {
  stream: { index: number } | null;
  xLoc: number;
  yLoc: number;
  yDim: number;
  decode(buffer: ArrayBuffer, offset: number, length: number, bytes: number): Uint8Array | Uint16Array | null;
  decodeSingle(previous: number[], bits: number[], left: number[]): number;
  getPreviousX(component?: number): number;
  getPreviousY(component?: number): number;
  select7(component?: number): number;
  isLastPixel(): boolean;
}

declare const JpegLossless: { Decoder: typeof LosslessDecoder };
