"""Small bundles that may run on a graphics card, and ways to break what runs there."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle, Description, describe_files, load_bundle, write_description
from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle

# Follows the worker's program; `change` sees the results of every run on the card, with the number of that run.
_AROUND_RUNS = """
{
  const change = __CHANGE__;
  const create = ort.InferenceSession.create.bind(ort.InferenceSession);
  let runs = 0;
  ort.InferenceSession.create = async (model, options) => {
    const session = await create(model, options);
    if (options.executionProviders[0] !== "webgpu") return session;
    const run = session.run.bind(session);
    session.run = async (...values) => {
      const results = await run(...values);
      await change(results, ++runs);
      return results;
    };
    return session;
  };
}
"""
_INTO_WORKERS = """
const OriginalBlob = window.Blob;
window.Blob = class extends OriginalBlob {
  constructor(parts, options) {
    super(options?.type === "text/javascript" ? [...parts, __CODE__] : parts, options);
  }
};
"""


def make_golden_bundle(folder: Path) -> Bundle:
    """A bundle of small networks with all gradient graphs, and with a golden image."""
    make_bundle(folder, explained=True)
    Image.fromarray(phantom(5, 128)).save(folder / "golden.png")
    fields = json.loads((folder / "bundle.json").read_text("utf-8"))
    golden: dict[str, Any] = {"image": "golden.png", "tensors": {}, "gate": None, "logits": {}}
    files = describe_files(folder, [*fields["files"], "golden.png"])
    described = {name: entry.model_dump() for name, entry in files.items()}
    write_description(folder, Description.model_validate(fields | {"golden": golden, "files": described}))
    return load_bundle(folder)


@contextlib.contextmanager
def meddling(driver: Chromium, change: str) -> Iterator[None]:
    """Let a JavaScript function of (results, number of the run) meddle with what runs on the card."""
    code = _INTO_WORKERS.replace("__CODE__", json.dumps(_AROUND_RUNS.replace("__CHANGE__", change)))
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": code})
    yield
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
