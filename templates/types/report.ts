// Reports, tables and sessions (templates/page/report, session).

interface ReportChoice {
  which: "all" | "shown" | "selected";
  hasNames: boolean;
  hasPictures: boolean;
  maps: "none" | "open" | "first" | "above";
  note: string; // for the whole report
}

interface WantedMap {
  finding: string;
  method: string;
  look: Look;
}

interface Reported {
  item: WorkItem;
  number: number; // from 1, in this report
  count: number;
  alias: string; // what the image is called here
  result: AnalysisResult; // without its picture
}

interface ReportHead {
  title: string;
  made: string; // when and with what
}

type ReportedMap =
  | { finding: string; problem: string }
  | { finding: string; problem?: undefined; address: string; colours: string; ends: LegendWords; title: string; worth: string | null };

interface ReportedPictures {
  address: string | null;
  maps: ReportedMap[];
  tried: string | null; // the picture of regions that were tried
  isWanted: boolean;
}

interface SessionImage {
  name: string | null;
  sha256: string | null;
  bytes: number;
  model: BundleIdentity;
  options: { force: boolean; correction: string | null };
  note: string;
  time: string | null;
  document: ResultDocument;
}

interface SessionDocument {
  schema: "sitegen.session/1";
  saved: string;
  title: string;
  sitegen: string;
  note: string;
  images: SessionImage[];
}
