"""Native ONNX Runtime sessions of a bundle's networks, made when first used."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array

import onnxruntime

from sitegen.bundle import Bundle
from sitegen.errors import BundleError
from sitegen.graphs.session import answer, open_session
from sitegen_runtime.requests import RunGraph


class Networks:
    """Runs the graphs of a bundle on the CPU.

    One thread by default, so that a prediction does not depend on how many cores a machine has.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self._bundle = bundle
        self.threads = threads
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    def run(self, request: RunGraph) -> dict[str, array[float]]:
        """Return the values of the requested outputs, flat."""
        return answer(self.load(request.role), request)

    def load(self, role: str) -> onnxruntime.InferenceSession:
        """Return the session of a role, made at the first call. Raises BundleError where that cannot be."""
        if role not in self._sessions:
            path = self._bundle.graph_path(role)
            try:
                self._sessions[role] = open_session(path, self.threads)
            except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
                raise BundleError(f"ONNX Runtime cannot load {path}: {error}") from error
        return self._sessions[role]
