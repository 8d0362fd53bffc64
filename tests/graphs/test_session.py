"""Graphs that do not come to an end are ended, wherever they are run; those that do are as before."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from sitegen.data.prepare.pictures import png_of
from sitegen.errors import ExportError, ModelError
from sitegen.graphs import session
from sitegen.graphs.session import TookTooLong, open_session, run_within
from sitegen.importing.graph.probe import probe
from sitegen.importing.proof.graph_run import GraphRun
from sitegen.importing.sources.onnx_model import import_onnx
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.bundles import classifier, make_bundle
from tests.helpers.endless import with_loop
from tests.helpers.importing.onnx_models import settings, small, tensors, written

IMAGE = tensors(1)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that tests can wait for."""
    monkeypatch.setattr(session, "LONGEST", 0.3)


@pytest.mark.parametrize("within", [0, 1, 2])
def test_a_loop_without_an_end_is_ended(within: int) -> None:
    opened = open_session(with_loop(small(), within=within).SerializeToString())
    with pytest.raises(TookTooLong, match=r"longer than 0\.2 seconds for one image"):
        run_within(opened, None, {"x": IMAGE}, 0.2)


def test_what_comes_to_an_end_is_as_before() -> None:
    plain, looping = (open_session(model.SerializeToString()) for model in (small(), with_loop(small(), turns=1000)))
    expected = plain.run(None, {"x": IMAGE})[0]
    assert np.array_equal(run_within(plain, None, {"x": IMAGE})[0], expected)
    assert np.array_equal(run_within(looping, None, {"x": IMAGE})[0], expected)
    with pytest.raises(Exception, match="Got invalid dimensions"):
        run_within(plain, None, {"x": IMAGE[:, :, 1:]})


def test_imports_name_it(tmp_path: Path, soon: None) -> None:
    path = written(with_loop(small()), tmp_path / "net.onnx")
    given = import_onnx(path, settings(3, colour="grey", output="logits"))
    assert given.original.in_both(IMAGE) is None  # Python would not come to an end, either
    with pytest.raises(ModelError, match="cannot be run: it took longer than"):
        given.original.logits(IMAGE)
    with pytest.raises(ModelError, match="cannot be run: it took longer than"):
        probe(onnx.load(path))
    with pytest.raises(ModelError, match="cannot be run: it took longer than"):
        import_onnx(path, settings(3, colour="grey", output="probabilities"))


def test_a_loop_has_no_reference_in_python(tmp_path: Path) -> None:
    path = written(with_loop(small(), turns=3), tmp_path / "net.onnx")
    original = import_onnx(path, settings(3, colour="grey", output="logits")).original
    assert original.in_both(IMAGE) is None
    assert original.logits(IMAGE).shape == (1, 3)


def test_proofs_and_predictions_name_it(tmp_path: Path, soon: None) -> None:
    path = written(with_loop(classifier()), tmp_path / "classifier.onnx")
    with pytest.raises(ExportError, match=r"classifier\.onnx cannot be used: it took longer than"):
        GraphRun(path).logits(np.zeros((1, 1, 32, 32), np.float32))
    predictor = Predictor(make_bundle(tmp_path / "bundle"))
    predictor._networks._sessions["classifier"] = open_session(path)
    document = predictor.analyse(png_of(phantom(0, 64)), "image", force=True).document
    assert document["error"]["code"] == "engine-failed"
    assert "'classifier' could not be run: it took longer than 0.3 seconds" in document["error"]["message"]
