"""Functions of the worker's scripts, run by Node.js: called from here with JSON and bytes, one call at a time."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sitegen.site.engines.node import find_node

WORKER = Path(__file__).parents[3] / "templates" / "worker"
_PROGRAM = """
const { readFileSync } = require("fs");
const [source, ...paths] = process.argv.slice(1);
const texts = paths.map((path) => readFileSync(path, "utf8"));
const taken = new Function(`${texts.join(";")}; return ${source}`)();
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { text, bytes } = JSON.parse(line);
  console.log(JSON.stringify(taken(text, new Uint8Array(Buffer.from(bytes, "base64")))));
});
"""


class NodeFunction:
    """A function of a text and bytes that gives what JSON can hold."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, text: str, content: bytes) -> Any:
        assert self._process.stdin and self._process.stdout
        call = {"text": text, "bytes": base64.b64encode(content).decode()}
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def node_function(source: str, *scripts: str) -> Iterator[NodeFunction]:
    """The function that a JavaScript expression gives in the scope of scripts of the worker, while the block runs."""
    command = [find_node().node, "-e", _PROGRAM, source, *(str(WORKER / name) for name in scripts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield NodeFunction(process)
        assert process.stdin
        process.stdin.close()
