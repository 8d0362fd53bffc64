// One worker does all the work, one job at a time. It is replaced when it dies, falls silent or does not obey a cancel;
// the job it was at is tried once more.
const ACCEPT_MS = 10_000; // an idle worker answers at once
const SILENCE_MS = 90_000; // one run of a large network on an old machine
const CANCEL_MS = 5_000; // the person has had the answer by then; this is for the worker, which may be kept
const ATTEMPTS = 2;
const OUT_OF_MEMORY = /out of memory|allocat/i;
const CARD_START_MS = 60_000; // for a driver that hangs; then WebAssembly does the work
const SOFTWARE_CARD_MS = 600_000; // in software every step takes its time, and somebody asked for it

/** @param {Plan} one @param {Plan} other */
function isSamePlan(one, other) {
  return one.provider === other.provider && one.threads === other.threads && one.isLow === other.isLow && one.note === other.note;
}

/** @param {string} name */
function isScript(name) {
  return name.endsWith(".js");
}

class Engine {
  // `plan` is what `planEngine` gives; a worker that cannot run by it is replaced by one that runs by a lesser plan.
  /** @param {Site} site @param {Assets} assets @param {Plan} plan @param {BootListener} onBooting */
  constructor(site, assets, plan, onBooting) {
    this.site = site;
    this.assets = assets;
    this.plan = plan;
    this.onBooting = onBooting;
    /** @type {Job[]} */
    this.queue = [];
    /** @type {Job | null} */
    this.active = null;
    this.nextId = 1;
    /** @type {Partial<Record<Plan["provider"], string>>} */
    this.scriptUrls = {};
    /** @type {WatchedWorker | null} */
    this.worker = null;
    /** @type {Verdict[]} */
    this.verdicts = [];
    this.decoding = new AbortController(); // of a compressed frame
    this.isReady = false;
    this.isBroken = false;
    this.starting = Promise.resolve();
    this.watchdog = 0;
    /** @type {(message: Extract<FromWorker, { kind: "ready" }>) => void} */
    this.onReady = () => {};
    /** @type {(error: CodedError) => void} */
    this.onBootFailure = () => {};
  }

  start() {
    return (this.starting = this.startAsPlanned());
  }

  async startAsPlanned() {
    for (;;) {
      try {
        return await this.startWorker(this.plan);
      } catch (caught) {
        const error = /** @type {CodedError} */ (caught);
        const lesser = lesserPlan(this.plan, error);
        if (!lesser) throw error;
        console.warn(error);
        this.plan = lesser;
        if (error.code === "no-threads") this.onBooting({ stage: "one-thread" });
      }
    }
  }

  /** @param {Plan} plan */
  async startWorker(plan) {
    const { common, bundles, providers } = this.site;
    const needed = [...common, ...providers[plan.provider]];
    const scriptUrl = await this.scriptUrl(plan, needed.filter(isScript));
    this.isReady = false;
    this.verdicts = [];
    const lifeline = `sitegen worker ${Math.random()}`;
    const worker = (this.worker = Object.assign(await startedWorker(scriptUrl), { lifeline }));
    /** @type {Promise<Parameters<Engine["onReady"]>[0]>} */
    const booted = new Promise((resolve, reject) => {
      this.onReady = resolve;
      this.onBootFailure = reject;
    });
    booted.catch(() => {}); // it can come before the assets below are read
    worker.onmessage = ({ data }) => this.receive(data, worker);
    worker.onerror = (event) => this.replace(`The worker failed: ${event.message ?? "unknown reason"}`);
    if (plan.card) this.expectCardWithin(plan.card.isSoftware ? SOFTWARE_CARD_MS : CARD_START_MS);
    const assets = await this.assetsFor(plan, [...needed.filter((name) => !isScript(name)), ...bundles[0].start]);
    const boot = { ...this.site.boot, ...plan };
    tell(worker, { kind: "boot", lifeline, assets, boot, bundles }, Object.values(assets));
    const { engine } = await booted.catch(async (error) => {
      if (worker === this.worker) await settled();
      throw refusedWorker() ?? error;
    });
    clearTimeout(this.watchdog);
    delete runningEngine.note;
    Object.assign(runningEngine, engine);
    this.isReady = true;
    this.onBooting({ stage: "running", plan: this.plan });
    this.onBooting({ stage: "ready" });
    this.pump();
  }

  // ONNX Runtime Web for WebGPU is a script that follows the worker's own.
  /** @param {Plan} plan @param {string[]} names */
  async scriptUrl(plan, names) {
    const known = this.scriptUrls[plan.provider];
    if (known) return known;
    await this.assetsFor(plan, names);
    const texts = await Promise.all(names.map((name) => unpackText(this.assets.blobs[name])));
    return (this.scriptUrls[plan.provider] = URL.createObjectURL(new Blob([texts.join("\n;\n")], { type: "text/javascript" })));
  }

  // A site can do without what only graphics cards need.
  /** @param {Plan} plan @param {string[]} names */
  async assetsFor(plan, names) {
    try {
      return await this.assets.read(names);
    } catch (error) {
      throw plan.provider === "webgpu" ? Object.assign(/** @type {Error} */ (error), { code: "no-webgpu" }) : error;
    }
  }

  /** @param {number} milliseconds */
  expectCardWithin(milliseconds) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.replace("the graphics card takes too long to start", "no-webgpu"), milliseconds);
  }

  // Another worker, by another plan; what is being done is done again by that one.
  /** @param {Plan} plan */
  async use(plan) {
    await this.starting.catch(() => {});
    if (!this.isBroken && isSamePlan(plan, this.plan)) return;
    clearTimeout(this.watchdog);
    this.endWorker();
    const job = this.active;
    this.active = null;
    if (job && !job.cancelled) {
      job.attempts -= 1; // it has done nothing wrong
      this.queue.unshift(job);
    }
    this.isReady = false;
    this.plan = plan;
    await this.restart();
  }

  // Resolves to {document, bytes}, and for kinds that are drawn also to what drawing needs; never rejects. `details` go to
  // the worker as they are. What a person waits for at a picture (`isUrgent`) goes before images that only wait in line.
  /** @param {QueuedKind} kind @param {Blob} blob @param {RunOptions} options @returns {Promise<JobResult>} */
  run(kind, blob, { name, bundle, details, isUrgent = false, onProgress, onSketch, signal }) {
    return new Promise((resolve) => {
      /** @type {Job} */
      const job = { id: this.nextId++, kind, blob, name, bundle, details, isUrgent, onProgress, onSketch, resolve, attempts: 0 };
      if (signal?.aborted) return resolve(cancelledResult(job));
      signal?.addEventListener("abort", () => this.cancel(job), { once: true });
      this.enqueue(job);
      if (this.isBroken) this.restart(); // what failed before, memory above all, may be there by now
      this.pump();
    });
  }

  get isBusy() {
    return this.active !== null || this.queue.length > 0;
  }

  /** @param {Job} job */
  enqueue(job) {
    const place = job.isUrgent ? this.queue.findIndex(({ isUrgent }) => !isUrgent) : -1;
    this.queue.splice(place < 0 ? this.queue.length : place, 0, job);
  }

  pump() {
    const { worker } = this;
    if (!this.isReady || !worker || this.active) return;
    const job = this.queue.shift();
    if (!job) return;
    this.active = job;
    job.attempts += 1;
    this.send(job, worker).catch(() => {
      if (this.active === job) this.release(job, failureResult(job, "unreadable"));
    });
  }

  /** @param {Job} job @param {Worker} worker */
  async send(job, worker) {
    const bytes = await job.blob.arrayBuffer();
    if (worker !== this.worker || this.active !== job) return; // another worker has the job by now
    const { kind, id, name, bundle, details } = job;
    tell(worker, /** @type {JobMessage} */ ({ kind, id, bytes, name, bundle: bundle.name, details }), [bytes]);
    this.expectWithin(job.cancelled ? CANCEL_MS : ACCEPT_MS);
  }

  // Answered at once, whatever the worker is at; what it still says of the job is not heard.
  /** @param {Job} job */
  cancel(job) {
    if (this.active === job && this.worker) {
      tell(this.worker, { kind: "cancel", id: job.id });
      this.decoding.abort();
      this.expectWithin(CANCEL_MS);
    } else if (this.queue.includes(job)) {
      this.queue.splice(this.queue.indexOf(job), 1);
    }
    job.cancelled = true;
    job.resolve(cancelledResult(job));
  }

  /** @param {number} milliseconds */
  expectWithin(milliseconds) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.replace("The worker does not answer"), milliseconds);
  }

  // A worker holds a lock for as long as it lives: to get that lock is to know, at once, that it is dead. Where browsers
  // offer no locks (plain http away from this machine), its silence tells, later.
  /** @param {WatchedWorker} worker */
  watchOver(worker) {
    const buried = () => {
      if (this.worker === worker) this.replace("The worker stopped", "out-of-memory"); // what else ends one at once
    };
    navigator.locks?.request(worker.lifeline, buried).catch(() => {});
  }

  /** @param {FromWorker} message @param {WatchedWorker} worker */
  receive(message, worker) {
    switch (message.kind) {
      case "alive":
        return this.watchOver(worker);
      case "booting":
        return this.onBooting({ stage: message.stage });
      case "decode":
        return this.decodeFor(worker, message);
      case "files":
        return this.readFor(worker, message);
      case "frame":
        return this.decodeFrameFor(worker, message);
      case "ready":
        return this.onReady(message);
      case "compared":
        return this.verdicts.push(message.verdict);
      case "fatal":
        return this.replace(message.message, message.code);
      default:
        return this.hearOfJob(message);
    }
  }

  /** @param {Extract<FromWorker, { id: number }>} message */
  hearOfJob(message) {
    const job = this.active;
    if (job?.id !== message.id) return;
    if (message.kind === "result") return this.release(job, message);
    if (job.cancelled) return;
    this.expectWithin(SILENCE_MS);
    if (message.kind === "progress") job.onProgress?.({ stage: message.stage, done: message.done });
    if (message.kind === "sketch") job.onSketch?.(message);
  }

  /** @param {Worker} worker @param {Extract<FromWorker, { kind: "decode" }>} message */
  async decodeFor(worker, { bytes, type, options }) {
    const bitmap = await createImageBitmap(new Blob([bytes], { type }), options).catch(() => null);
    tell(worker, { kind: "decoded", bitmap }, bitmap ? [bitmap] : []);
  }

  /** @param {Worker} worker @param {Extract<FromWorker, { kind: "files" }>} message */
  async readFor(worker, { names }) {
    const files = await this.assets.read(names).catch(() => null);
    tell(worker, { kind: "files", files }, Object.values(files ?? {}));
  }

  /** @param {Worker} worker @param {FrameMessage} message */
  async decodeFrameFor(worker, message) {
    this.decoding = new AbortController();
    if (this.active?.cancelled) this.decoding.abort();
    const answer = await decodeFrame(message, this.decoding.signal);
    tell(worker, { kind: "cells", answer }, answer.cells ? [answer.cells] : []);
  }

  endWorker() {
    this.worker?.terminate();
    this.decoding.abort();
  }

  /** @param {Job} job @param {JobResult} result */
  release(job, result) {
    clearTimeout(this.watchdog);
    this.active = null;
    job.resolve(result);
    this.pump();
  }

  // The worker is gone: start another from the assets that were kept.
  /** @param {string} reason @param {string} [code] */
  replace(reason, code = OUT_OF_MEMORY.test(reason) ? "out-of-memory" : "engine-failed") {
    clearTimeout(this.watchdog);
    this.endWorker();
    if (!this.isReady) return this.onBootFailure(Object.assign(new Error(reason), { code }));
    this.plan = lesserPlan(this.plan, { code, message: reason }) ?? this.plan;
    const job = this.active;
    this.active = null;
    this.isReady = false;
    if (job && !job.cancelled && job.attempts < ATTEMPTS) this.queue.unshift(job);
    else job?.resolve(failureResult(job, "given-up", reason)); // which is no news where it was cancelled
    this.restart();
  }

  async restart() {
    this.isBroken = false;
    try {
      await this.start();
    } catch (caught) {
      const error = /** @type {Error} */ (caught);
      this.isBroken = true;
      for (const job of this.queue.splice(0)) job.resolve(failureResult(job, "failed", error.message));
      this.onBooting({ stage: "failed", error });
    }
  }
}

/** @param {Worker} worker @param {ToWorker} message @param {Transferable[]} given */
function tell(worker, message, given = []) {
  worker.postMessage(message, given);
}
