"""The page's codecs without the page's Python: frames go to a codec's own worker, on a page under the site's policy."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from sitegen.browser.driver import Driver
from sitegen.site.engines.codecs import codec_assets
from sitegen.site.engines.files import install_engines
from tests.helpers.browser.dicom_frames import Frame

_BATCH = 60
_DECODE = """
const [codec, script, program, frames, done] = arguments;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (cells) => {
  let all = "";
  for (let at = 0; at < cells.length; at += 8192) all += String.fromCharCode(...cells.subarray(at, at + 8192));
  return btoa(all);
};
const address = URL.createObjectURL(new Blob([bytes(script)], { type: "text/javascript" }));
const decode = ([frame, wanted]) => new Promise((resolve) => {
  const worker = new Worker(address);
  const end = (answer) => { worker.terminate(); resolve(answer); };
  worker.onmessage = ({ data }) => end(data.cells ? { cells: text(new Uint8Array(data.cells)) } : data);
  worker.onerror = (event) => end({ cells: null, code: "worker", message: event.message });
  worker.postMessage({ codec, frame: bytes(frame).buffer, wanted, program: program && bytes(program).buffer });
});
(async () => {
  const answers = [];
  for (const frame of frames) answers.push(await decode(frame));
  URL.revokeObjectURL(address);
  return answers;
})().then((answers) => done({ answers }), (error) => done({ error: String(error) }));
"""


@dataclass(frozen=True)
class Decoded:
    """Cells, or the code of why there are none."""

    cells: bytes | None
    code: str | None


def decode(driver: Driver, codec: str, frames: Sequence[Frame]) -> list[Decoded]:
    """Return what the codec makes of frames, each in a worker of its own, in whatever page the driver shows."""
    script, *programs = (base64.b64encode(asset.content).decode() for asset in codec_assets(install_engines())[codec])
    found: list[Decoded] = []
    for start in range(0, len(frames), _BATCH):
        given = [[base64.b64encode(frame.data).decode(), _wanted(frame)] for frame in frames[start : start + _BATCH]]
        answer = driver.execute_async_script(_DECODE, codec, script, programs[0] if programs else None, given)
        assert "error" not in answer, answer["error"]
        found += [
            Decoded(base64.b64decode(one["cells"]) if one["cells"] is not None else None, one.get("code"))
            for one in answer["answers"]
        ]
    return found


def _wanted(frame: Frame) -> dict[str, int]:
    rows, columns = frame.cells.shape
    return {"rows": rows, "columns": columns, "precision": frame.precision}
