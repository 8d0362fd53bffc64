// One worker does all the work, one job at a time. It is replaced when it dies, falls silent or does not obey a cancel;
// the job it was at is tried once more.
const ACCEPT_MS = 10_000; // an idle worker answers at once
const SILENCE_MS = 90_000; // one run of a large network on an old machine
const CANCEL_MS = 5_000;
const ATTEMPTS = 2;
const OUT_OF_MEMORY = /out of memory|allocat/i;
const CARD_START_MS = 60_000; // for a driver that hangs; then WebAssembly does the work
const SOFTWARE_CARD_MS = 600_000; // in software every step takes its time, and somebody asked for it

function isSamePlan(one, other) {
  return ["provider", "threads", "isLow", "note"].every((key) => one[key] === other[key]);
}

function isScript(name) {
  return name.endsWith(".js");
}

class Engine {
  // `plan` is what `planEngine` gives; a worker that cannot run by it is replaced by one that runs by a lesser plan.
  constructor(site, assets, plan, onBooting) {
    this.site = site;
    this.assets = assets;
    this.plan = plan;
    this.onBooting = onBooting;
    this.queue = [];
    this.active = null;
    this.nextId = 1;
    this.scriptUrls = {};
  }

  start() {
    return (this.starting = this.startAsPlanned());
  }

  async startAsPlanned() {
    for (;;) {
      try {
        return await this.startWorker(this.plan);
      } catch (error) {
        const lesser = lesserPlan(this.plan, error);
        if (!lesser) throw error;
        console.warn(error);
        this.plan = lesser;
        if (error.code === "no-threads") this.onBooting("one-thread");
      }
    }
  }

  async startWorker(plan) {
    const { common, bundles, providers } = this.site;
    const needed = [...common, ...providers[plan.provider]];
    const scriptUrl = await this.scriptUrl(plan, needed.filter(isScript));
    this.isReady = false;
    this.verdicts = [];
    this.worker = new Worker(scriptUrl);
    const booted = new Promise((resolve, reject) => {
      this.onReady = resolve;
      this.onBootFailure = reject;
    });
    booted.catch(() => {}); // it can come before the assets below are read
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => this.replace(`The worker failed: ${event.message ?? "unknown reason"}`);
    this.worker.lifeline = `sitegen worker ${Math.random()}`;
    if (plan.card) this.expectCardWithin(plan.card.isSoftware ? SOFTWARE_CARD_MS : CARD_START_MS);
    const assets = await this.assetsFor(plan, [...needed.filter((name) => !isScript(name)), ...bundles[0].start]);
    const { lifeline } = this.worker;
    const boot = { ...this.site.boot, ...plan };
    this.worker.postMessage({ kind: "boot", lifeline, assets, boot, bundles }, Object.values(assets));
    const { times, engine } = await booted;
    clearTimeout(this.watchdog);
    for (const name of Object.keys(runningEngine)) delete runningEngine[name];
    Object.assign(runningEngine, engine);
    this.isReady = true;
    this.onBooting("running", this.plan);
    this.onBooting("ready", times);
    this.pump();
  }

  // ONNX Runtime Web for WebGPU is a script that follows the worker's own.
  async scriptUrl(plan, names) {
    if (!this.scriptUrls[plan.provider]) {
      await this.assetsFor(plan, names);
      const texts = await Promise.all(names.map((name) => unpackText(this.assets.blobs[name])));
      this.scriptUrls[plan.provider] = URL.createObjectURL(new Blob([texts.join("\n;\n")], { type: "text/javascript" }));
    }
    return this.scriptUrls[plan.provider];
  }

  // A site can do without what only graphics cards need.
  async assetsFor(plan, names) {
    try {
      return await this.assets.read(names);
    } catch (error) {
      throw plan.provider === "webgpu" ? Object.assign(error, { code: "no-webgpu" }) : error;
    }
  }

  expectCardWithin(milliseconds) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.replace("the graphics card takes too long to start", "no-webgpu"), milliseconds);
  }

  // Another worker, by another plan; what is being done is done again by that one.
  async use(plan) {
    await this.starting.catch(() => {});
    if (!this.isBroken && isSamePlan(plan, this.plan)) return;
    clearTimeout(this.watchdog);
    this.worker.terminate();
    const job = this.active;
    this.active = null;
    if (job) {
      job.attempts -= 1; // it has done nothing wrong
      this.queue.unshift(job);
    }
    this.isReady = false;
    this.plan = plan;
    await this.restart();
  }

  // Resolves to {document, bytes}, and for kinds that are drawn also to what drawing needs; never rejects. `details` go to
  // the worker as they are. What a person waits for at a picture (`isUrgent`) goes before images that only wait in line.
  run(kind, blob, { name, bundle, details, isUrgent = false, onProgress, signal }) {
    return new Promise((resolve) => {
      const job = { id: this.nextId++, kind, blob, name, bundle, details, isUrgent, onProgress, resolve, attempts: 0 };
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

  enqueue(job) {
    const place = job.isUrgent ? this.queue.findIndex(({ isUrgent }) => !isUrgent) : -1;
    this.queue.splice(place < 0 ? this.queue.length : place, 0, job);
  }

  pump() {
    if (!this.isReady || this.active || !this.queue.length) return;
    const job = (this.active = this.queue.shift());
    job.attempts += 1;
    this.send(job, this.worker).catch(() => {
      const message = `The file ${job.name} cannot be read: it was moved, changed or locked. Choose it again.`;
      if (this.active === job) this.release(failureResult(job, "unreadable-file", message));
    });
  }

  async send(job, worker) {
    const bytes = await job.blob.arrayBuffer();
    if (worker !== this.worker || this.active !== job) return; // another worker has the job by now
    const { kind, id, name, bundle, details } = job;
    worker.postMessage({ kind, id, bytes, name, bundle: bundle.name, details }, [bytes]);
    this.expectWithin(job.cancelled ? CANCEL_MS : ACCEPT_MS);
  }

  cancel(job) {
    if (this.active === job) {
      this.worker.postMessage({ kind: "cancel", id: job.id });
      this.expectWithin(CANCEL_MS);
    } else if (this.queue.includes(job)) {
      this.queue.splice(this.queue.indexOf(job), 1);
      job.resolve(cancelledResult(job));
    }
    job.cancelled = true;
  }

  expectWithin(milliseconds) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.replace("The worker does not answer"), milliseconds);
  }

  // A worker holds a lock for as long as it lives: to get that lock is to know, at once, that it is dead. Where browsers
  // offer no locks (plain http away from this machine), its silence tells, later.
  watchOver(worker) {
    const buried = () => {
      if (this.worker === worker) this.replace("The worker stopped", "out-of-memory"); // what else ends one at once
    };
    navigator.locks?.request(worker.lifeline, buried).catch(() => {});
  }

  receive(message) {
    if (message.kind === "alive") return this.watchOver(this.worker);
    if (message.kind === "booting") return this.onBooting(message.stage);
    if (message.kind === "decode") return this.decodeFor(this.worker, message);
    if (message.kind === "files") return this.readFor(this.worker, message);
    if (message.kind === "ready") return this.onReady(message);
    if (message.kind === "compared") return this.verdicts.push(message.verdict);
    if (message.kind === "fatal") return this.replace(message.message, message.code);
    const job = this.active;
    if (job?.id !== message.id) return;
    if (!job.cancelled) this.expectWithin(SILENCE_MS);
    if (message.kind === "progress") job.onProgress?.({ stage: message.stage, done: message.done });
    if (message.kind === "result") this.release(message);
  }

  async decodeFor(worker, { bytes, type, options }) {
    const bitmap = await createImageBitmap(new Blob([bytes], { type }), options).catch(() => null);
    worker.postMessage({ kind: "decoded", bitmap }, bitmap ? [bitmap] : []);
  }

  async readFor(worker, { names }) {
    const files = await this.assets.read(names).catch(() => null);
    worker.postMessage({ kind: "files", files }, Object.values(files ?? {}));
  }

  release(result) {
    const job = this.active;
    clearTimeout(this.watchdog);
    this.active = null;
    const isTooLate = job.cancelled && !result.document?.error; // it was done before the worker heard of it
    job.resolve(isTooLate ? cancelledResult(job) : result);
    this.pump();
  }

  // The worker is gone: start another from the assets that were kept.
  replace(reason, code = OUT_OF_MEMORY.test(reason) ? "out-of-memory" : "engine-failed") {
    clearTimeout(this.watchdog);
    this.worker.terminate();
    if (!this.isReady) return this.onBootFailure(Object.assign(new Error(reason), { code }));
    this.plan = lesserPlan(this.plan, { code, message: reason }) ?? this.plan;
    const job = this.active;
    this.active = null;
    this.isReady = false;
    if (job?.cancelled) job.resolve(cancelledResult(job));
    else if (job && job.attempts < ATTEMPTS) this.queue.unshift(job);
    else job?.resolve(failureResult(job, "engine-failed", `${reason}. The image was given up; others can follow.`));
    this.restart();
  }

  async restart() {
    this.isBroken = false;
    try {
      await this.start();
    } catch (error) {
      this.isBroken = true;
      for (const job of this.queue.splice(0)) job.resolve(failureResult(job, "engine-failed", error.message));
      this.onBooting("failed", error);
    }
  }
}
