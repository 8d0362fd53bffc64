// The what-if tool (templates/page/whatif): regions of an image that are filled, and what that changes.

type Region = [left: number, top: number, width: number, height: number];

// Of the grid that keys and brushes go by, counted from 0.
interface Cell {
  column: number;
  row: number;
}

// One region that was tried: its part of the result document (docs/effects.md), and what Python says of it.
interface Try {
  entry: WhatIfEntry;
  wording: TryWords;
  picture: ImageData | null; // with noise, as the model takes it; null of regions, and where a session was opened again
}
