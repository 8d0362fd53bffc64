// What the service worker's script needs beside its own declarations: its scope, and what it reads of manifest.json.

declare var registration: ServiceWorkerRegistration;
declare var clients: Clients;
declare function skipWaiting(): Promise<void>;
declare function addEventListener<K extends keyof ServiceWorkerGlobalScopeEventMap>(
  type: K,
  listener: (event: ServiceWorkerGlobalScopeEventMap[K]) => void,
): void;

interface Manifest {
  files: Record<string, { sha256: string }>;
  sitegen?: string;
  bundles?: { name: string; version: string }[];
}

interface KeptState {
  current?: string;
  next?: string;
  others?: string[];
  seen?: string[];
  isWhole?: boolean;
  isPreview?: boolean;
  isPinned?: boolean;
}

// A file as it was fetched: `keeping` resolves when it is kept, which it is where it is as the manifest says.
interface Fetched {
  response: Response;
  bytes: ArrayBuffer;
  isGood: boolean;
  keeping: Promise<void>;
}

type FromPage =
  | { kind: "claim" }
  | { kind: "check" }
  | { kind: "take" }
  | { kind: "pin"; isPinned: boolean }
  | { kind: "ready"; mayLoad: boolean };
