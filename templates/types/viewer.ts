// The viewer (viewer/viewer*.js): what is looked at of a picture, and how. None of it reaches a network.

// Which part is in sight. 1 shows the whole picture; x and y, from 0 to 1 of its width and height, lie in the stage's middle.
interface Lens {
  zoom: number;
  x: number;
  y: number;
}

// Which of the 256 greys are told apart: those from level - width / 2, drawn black, to level + width / 2, drawn white.
interface Tone {
  level: number;
  width: number;
  isInverted: boolean;
}

type DragTool = "move" | "window" | "rectangle" | "brush" | "erase";

// Where the whole picture lies on a canvas, in the canvas's pixels; `across` and `down` of these are one of the picture's.
interface PicturePlace {
  left: number;
  top: number;
  width: number;
  height: number;
  across: number;
  down: number;
}

// Something over the picture: cells that cover a part of it, in pixels of the picture as it was analysed; beyond it where it was padded.
interface PictureLayer {
  cells: OffscreenCanvas;
  square: [left: number, top: number, width: number, height: number];
  opacity: number; // 0 to 1
}
