// Teaching (templates/page/teaching).

interface CaseEntry {
  asset: string;
  caption: string;
  labels: Record<string, boolean>;
  boxes: CaseBox[];
}

interface CaseBox {
  label: string;
  square: number[]; // left, top, width and height, in pixels of the upright image
}

type Place = [x: number, y: number]; // from 0 to 1, in the picture

interface Lesson {
  labels: Record<string, boolean> | null; // what is there; null where nobody has said
  boxes: CaseBox[];
  said: Record<string, boolean> | null; // the student's answer, once there is one
  places: Record<string, Place>;
  model: Record<string, boolean> | null; // what the model says, once it may be told
}
