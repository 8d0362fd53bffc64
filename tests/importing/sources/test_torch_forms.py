"""Checkpoints and networks in the forms that people have: records beside weights, losses, outputs by name."""

import argparse
import collections
import datetime
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.sources.torch_model import import_torch
from sitegen.importing.sources.torch_outputs import chosen
from tests.helpers.importing.checkpoints import SIDE, Small, randomised
from tests.helpers.importing.fake_source import SIDE as WIDE
from tests.helpers.importing.fake_source import random_network

SETTINGS = ImportSettings(image={"side": SIDE}, labels=tuple(LabelSettings(name) for name in "ABC"))
HERE = Path(__file__).parents[2] / "helpers" / "importing" / "checkpoints.py"
RECORDS = {
    "a number of NumPy": np.float64(0.93),
    "numbers of NumPy": np.arange(5.0),
    "options": argparse.Namespace(lr=1e-3, folder=Path("runs/1")),
    "a path": Path("runs") / "1",
    "a path of Windows": PureWindowsPath("runs/1"),
    "a history": collections.defaultdict(list, {"loss": [np.float32(1), 0.5]}),
    "a date": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    "a bag": SimpleNamespace(best=1),
    "a range": slice(1, 2),
    "a type of NumPy": np.dtype("float32"),
}


def network() -> Any:
    torch.manual_seed(0)
    return randomised(Small())


def read(document: Any, folder: Path, **options: Any) -> list[str]:
    """Import it, hold its weights against the network's, and return what was changed."""
    torch.save(document, folder / "model.pt", **options)
    model = import_torch(folder / "model.pt", SETTINGS, f"{HERE}:Small")
    images = np.random.default_rng(0).random((2, *model.image.shape[1:]), np.float32)
    assert model.original is not None
    with torch.no_grad():
        expected = network()(torch.from_numpy(images)).double().numpy()
    assert np.abs(model.original.logits(images) - expected).max() < 1e-6
    return list(model.provenance["changes"])


def test_the_checkpoint_of_pytorchs_own_tutorial(tmp_path: Path) -> None:
    inner = network()
    optimizer = torch.optim.SGD(inner.parameters(), 0.1, momentum=0.9)
    for loss in (0.4, torch.tensor(0.4)):
        document = {
            "epoch": 5,
            "model_state_dict": inner.state_dict(),
            "optimizer_state_dict": optimizer.state_dict(),
            "loss": loss,
        }
        assert read(document, tmp_path) == ["the weights lay under 'model_state_dict'"]


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("archive", [True, False])
def test_records_beside_weights_are_left_alone(tmp_path: Path, name: str, archive: bool) -> None:
    document = {"state_dict": network().state_dict(), "kept": RECORDS[name], "more": [RECORDS[name], {"a": {1, 2}}]}
    changes = read(document, tmp_path, _use_new_zipfile_serialization=archive)
    assert changes == ["the weights lay under 'state_dict'"]


def test_one_mapping_of_weights_under_any_name(tmp_path: Path) -> None:
    document = {"classifier_net": network().state_dict(), "optimizer": {"m": torch.ones(3)}, "args": RECORDS["options"]}
    assert read(document, tmp_path) == ["the weights lay under 'classifier_net'"]
    with pytest.raises(ModelError, match="none of it is the weights"):
        read({"first": network().state_dict(), "second": network().state_dict()}, tmp_path)


@pytest.mark.parametrize(
    "beside", ["criterion.weight", "loss_fn.pos_weight", "train_auroc.total", "val_accuracy.count"]
)
def test_a_losss_weights_are_left_out_and_named(tmp_path: Path, beside: str) -> None:
    weights = {f"model.{name}": value for name, value in network().state_dict().items()}
    changes = read({"state_dict": {**weights, beside: torch.ones(3)}, "hyper_parameters": RECORDS["options"]}, tmp_path)
    assert any(beside in change for change in changes)
    assert any("'model.' was removed" in change for change in changes)


def test_records_that_are_code_are_refused_still(tmp_path: Path) -> None:
    torch.save({"state_dict": network().state_dict(), "kept": print, "path": Path("a")}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"asks for .*print.*, which is code"):
        import_torch(tmp_path / "model.pt", SETTINGS, f"{HERE}:Small")


class Giving(nn.Module):
    """A network whose output has another form."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.inner, self.form = random_network(), form

    def forward(self, images: Tensor) -> Any:
        return self.form(self.inner(images))


SHAPE = (1, 1, WIDE, WIDE)
FORMS: dict[str, tuple[Any, tuple[str, ...], Any]] = {
    "one by name": (lambda z: {"anything": z}, (), lambda z: z),
    "the usual name": (lambda z: {"features": z * 2, "logits": z}, (), lambda z: z),
    "by settings": (lambda z: {"a": z * 2, "b": z}, ("b",), lambda z: z),
    "side by side": (lambda z: {"a": z * 2, "b": z}, ("b", "a"), lambda z: torch.cat([z, z * 2], 1)),
    "by number": (lambda z: (z * 2, z), ("1",), lambda z: z),
}


@pytest.mark.parametrize("name", FORMS)
def test_outputs_by_name(name: str) -> None:
    form, wanted, expected = FORMS[name]
    image = torch.rand(*SHAPE)
    with torch.no_grad():
        made = chosen(Giving(form).eval(), SHAPE, wanted)(image)
        assert torch.equal(made, expected(random_network()(image)))


@pytest.mark.parametrize(
    ("form", "wanted", "kind", "message"),
    [
        (lambda z: {"a": z, "b": z}, (), SettingsError, r"a dict of 'a', 'b'.*outputs = \['a', 'b'\]"),
        (lambda z: (z, z), ("2",), SettingsError, "gives 2, which are numbered from 0"),
        (lambda z: z, ("a",), SettingsError, "has one output"),
        (lambda z: [{"boxes": z, "scores": z}], (), ModelError, "as detectors do"),
        (lambda z: z[:, :2, None, None].expand(1, 2, 8, 8), (), ModelError, r"\[1, 2, 8, 8\].* as segmenters do"),
    ],
)
def test_what_has_no_findings_is_said_to_be_what_it_is(form: Any, wanted: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        chosen(Giving(form).eval(), SHAPE, wanted)
