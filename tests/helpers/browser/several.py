"""A site of two models for the tests that choose between them: different labels, sides and weights."""

import json
from pathlib import Path

from sitegen.bundle import Bundle, load_bundle
from tests.helpers.bundles import make_bundle

OTHER = "other-model"
TITLE = "The other model"

# Counts the sessions that live in the worker, and gives a way into its Python.
WORKER_TOOLS = """
{
  const create = ort.InferenceSession.create.bind(ort.InferenceSession);
  let live = 0;
  const changed = (by) => { live += by; postMessage({kind: "live", id: -1, live}); };
  ort.InferenceSession.create = async (...values) => {
    const session = await create(...values);
    const release = session.release.bind(session);
    session.release = () => { changed(-1); return release(); };
    changed(1);
    return session;
  };
  const own = self.onmessage;
  self.onmessage = (event) => {
    if (event.data.kind !== "python") return own(event);
    let answer;
    try { answer = String(pyodide.runPython(event.data.code)); } catch (error) { answer = String(error); }
    postMessage({kind: "said", id: -1, answer});
  };
}
"""
WITH_TOOLS = f"""
const Original = window.Blob;
window.Blob = class extends Original {{
  constructor(parts, options) {{
    super(options?.type === "text/javascript" ? [...parts, {json.dumps(WORKER_TOOLS)}] : parts, options);
  }}
}};
window.caughtWorkers = [];
window.live = [];
const OriginalWorker = window.Worker;
window.Worker = class extends OriginalWorker {{
  constructor(...values) {{
    super(...values);
    window.caughtWorkers.push(this);
    this.addEventListener("message", ({{data}}) => {{ if (data.kind === "live") window.live.push(data.live); }});
  }}
}};
"""


def make_other(folder: Path) -> Bundle:
    """A bundle with all graphs, of another side than the usual 32, under a name and title of its own."""
    make_bundle(folder, side=48, labels=("Nodule", "Mass"), explained=True)
    fields = json.loads((folder / "bundle.json").read_text("utf-8"))
    (folder / "bundle.json").write_text(json.dumps(fields | {"name": OTHER, "title": TITLE}), "utf-8")
    return load_bundle(folder)
