"""Checkpoints of PyTorch: weights in networks of sitegen and of the user's, and TorchScript archives."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from sitegen import gradient
from sitegen.errors import ExportError, ModelError, SettingsError
from sitegen.importing.settings import ImportSettings, LabelSettings, OutputKind
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.torch_classifier import TorchSource, torch_classifier
from sitegen.importing.sources.torch_model import import_torch, import_torchscript
from sitegen.networks.densenet import DenseNetSettings
from sitegen.networks.registry import make_network, network_document
from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.importing.checkpoints import (
    SIDE,
    SMALL,
    Small,
    TwoOutputs,
    apart,
    dense_logits,
    dense_weights,
    graph_logits,
    noise,
    randomised,
    sigmoid,
)

# PyTorch would have programs of TorchScript made no more; there are many.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
LABELS = tuple(LabelSettings(name) for name in ("Effusion", "Mass", "Nodule"))
SETTINGS = ImportSettings(image={"side": SIDE, "colour": "grey", "mean": [0.0], "std": [1.0]}, labels=LABELS)
LITTLE = replace(SMALL, labels=3)
DENSE = "densenet, growth = 4, blocks = [2, 2, 2, 2], stem = 8"


def source(network: nn.Module, settings: ImportSettings = SETTINGS) -> ImportedClassifier:
    """A network that is at hand, as a source of one grey channel gives it."""
    image = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    return torch_classifier(network, TorchSource(("small", "Small"), image), settings)


def test_weights_fit_a_network_by_its_name_and_say_their_channels_and_labels(tmp_path: Path) -> None:
    weights = dense_weights(replace(LITTLE, channels=3))
    torch.save(weights, tmp_path / "My Model v2.pt")
    model = import_torch(tmp_path / "My Model v2.pt", replace(SETTINGS, image={"side": SIDE}), DENSE)
    assert (model.name, model.title) == ("my-model-v2", "Imported model: my-model-v2")
    assert model.image.shape == (1, 3, SIDE, SIDE)
    assert model.image.mean == (0.485, 0.456, 0.406)
    images = noise(model)
    expected = dense_logits(weights, images)
    assert apart(graph_logits(model, tmp_path / "bundle", images), expected) <= 1e-5
    assert model.original is not None
    assert model.original.library == f"PyTorch {torch.__version__}"
    assert model.provenance["network"]["labels"] == 3
    assert "Taken was what is usual: colour rgb, fraction 1.0, range 0 1, mean 0.485 0.456 0.406" in model.remarks[0]


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "weights", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "model."])
def test_wrappers_and_prefixes_are_removed_and_told(tmp_path: Path, wrapper: str, prefix: str) -> None:
    weights = dense_weights(LITTLE)
    torch.save(
        {"epoch": 7, wrapper: {prefix + name: value for name, value in weights.items()}}, tmp_path / "weights.pt"
    )
    model = import_torch(tmp_path / "weights.pt", SETTINGS, DENSE)
    images = noise(model, 1)
    assert model.original is not None
    assert apart(model.original.logits(images), dense_logits(weights, images)) <= 1e-5
    changes = model.provenance["changes"]
    assert changes[0] == f"the weights lay under {wrapper!r}"
    assert "".join(change.split("'")[1] for change in changes[1:]) == prefix


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_become_float32_and_are_told(tmp_path: Path, kind: torch.dtype) -> None:
    weights = {
        name: value.to(kind) if value.is_floating_point() else value for name, value in dense_weights(LITTLE).items()
    }
    torch.save(weights, tmp_path / "weights.pt")
    model = import_torch(tmp_path / "weights.pt", SETTINGS, DENSE)
    images = noise(model, 1)
    assert model.original is not None
    assert apart(model.original.logits(images), dense_logits(weights, images)) <= 1e-5
    named = str(kind).removeprefix("torch.")
    assert f"Weights were stored as {named}; they are float32 now." in model.remarks


def test_a_checkpoint_of_sitegens_own_training_says_all_of_itself(tmp_path: Path) -> None:
    network = make_network(LITTLE)
    network.load_state_dict(dense_weights(LITTLE))
    image = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 0.9, (-1.0, 1.0), (0.5,), (2.0,))
    trained = TrainedClassifier(network.eval(), network_document(LITTLE), ("A", "B", "C"), image)
    save_trained(trained, tmp_path / "classifier.pt")
    model = import_torch(tmp_path / "classifier.pt", ImportSettings(), "")
    assert model.image == image
    assert [label.name for label in model.labels] == ["A", "B", "C"]
    images = noise(model)
    assert model.original is not None
    with torch.inference_mode():
        assert_array_equal(model.original.logits(images[:1]), network(torch.from_numpy(images[:1])).numpy())
    assert not any("usual" in remark for remark in model.remarks)


MADE = """
from torch import nn


class Mine(nn.Sequential):
    pass


def make():
    return Mine(nn.Conv2d(1, 4, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def broken():
    return 1 / 0


def number():
    return 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the user's module in it; the name is nobody else's."""
    (tmp_path / "a_users_network.py").write_text(MADE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("choice", ["a_users_network:make", "a_users_network.py:make", "./a_users_network.py:make"])
def test_a_function_of_the_users_makes_the_network(folder: Path, choice: str) -> None:
    namespace: dict[str, Callable[[], nn.Module]] = {}
    exec(MADE, {"__name__": "elsewhere"}, namespace)  # noqa: S102
    layers = (nn.Conv2d(1, 4, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    network = randomised(nn.Sequential(*layers))
    torch.save({"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, "weights.pt")
    model = import_torch(Path("weights.pt"), SETTINGS, choice)
    images = noise(model)
    with torch.inference_mode():
        expected = np.concatenate([network(torch.from_numpy(image[None])).numpy() for image in images])
    assert_allclose(graph_logits(model, folder / "bundle", images), expected, atol=1e-6)
    assert model.provenance["network"] == {"function": choice}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("", r"does not say which network they belong to. Name it: --network with one of densenet121,"),
        ("resnet19", "there is no network 'resnet19'"),
        ("densenet, growth", "'densenet, growth': the settings are not as in TOML"),
        ("densenet, grow = 3", "grow: "),
        ("nowhere:make", "nowhere cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("nowhere.py:make", r"nowhere\.py cannot be imported: FileNotFoundError: there is no file"),
        ("a_users_network:other", "a_users_network has no function 'other'"),
        ("a_users_network:broken", r"broken\(\) failed: ZeroDivisionError: division by zero"),
        ("a_users_network:number", r"number\(\) returned a int, and should return a torch\.nn\.Module"),
    ],
)
def test_a_network_that_cannot_be_had_is_an_error(folder: Path, choice: str, message: str) -> None:
    torch.save(dense_weights(LITTLE), "weights.pt")
    with pytest.raises(SettingsError, match=message):
        import_torch(Path("weights.pt"), SETTINGS, choice)


def test_weights_of_another_network_name_what_does_not_fit(tmp_path: Path) -> None:
    torch.save(dense_weights(LITTLE), tmp_path / "weights.pt")
    with pytest.raises(ModelError, match=r"does not fit the network: \d+ of the network's \d+ weights are missing"):
        import_torch(tmp_path / "weights.pt", SETTINGS, "resnet18")
    with pytest.raises(ModelError, match=r"other shapes than the network: .*features.*Name the network"):
        import_torch(tmp_path / "weights.pt", SETTINGS, DENSE.replace("stem = 8", "stem = 16"))


SIGMOIDS = ("sigmoid", "two sigmoids", "flat")
SOFTMAXES = ("softmax", "log-softmax")


def expected_logits(network: Small, images: torch.Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """From the scores before the network's end, by the formulas of sigmoid and softmax, in float64."""
    inner = Small("", labels=network.last.out_features).double().eval()
    inner.load_state_dict(network.state_dict())
    with torch.inference_mode():
        scores = inner(images.double()).numpy()
    if network.end not in SOFTMAXES:
        return scores
    share = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return np.log(share / (1 - share))


def as_script(network: nn.Module, file: Path) -> None:
    torch.jit.save(torch.jit.script(network), file)


def as_trace(network: nn.Module, file: Path) -> None:
    torch.jit.save(torch.jit.trace(network, torch.zeros(1, 1, SIDE, SIDE)), file)


def as_frozen(network: nn.Module, file: Path) -> None:
    torch.jit.save(torch.jit.freeze(torch.jit.script(network)), file)


@pytest.mark.parametrize("form", [None, as_script, as_trace, as_frozen])
@pytest.mark.parametrize("end", ["", *SIGMOIDS, *SOFTMAXES])
def test_however_a_network_ends_its_probabilities_are_kept(
    tmp_path: Path, end: str, form: Callable[[nn.Module, Path], None] | None
) -> None:
    labels = 1 if end == "flat" else 3
    network = randomised(Small(end, labels=labels))
    assert isinstance(network, Small)
    settings = replace(SETTINGS, labels=LABELS[:labels])
    if form is None:
        model = source(network, settings)
    else:
        form(network, tmp_path / "model.ts")
        model = import_torchscript(tmp_path / "model.ts", settings)
    images = noise(model, 4)
    expected = expected_logits(network, torch.from_numpy(images))
    assert apart(graph_logits(model, tmp_path / "bundle", images), expected) <= 1e-5
    assert model.original is not None
    assert apart(model.original.logits(images), expected) <= 1e-5
    with torch.inference_mode():
        own = network(torch.from_numpy(images)).double().numpy().reshape(4, labels)
    ends: dict[str, Callable[..., Any]] = {"": sigmoid, "log-softmax": np.exp}
    own = ends.get(end, np.asarray)(own)
    assert_allclose(sigmoid(expected), own, atol=1e-6)
    assert model.provenance["output"] == ("softmax" if end in SOFTMAXES else "probabilities" if end else "logits")
    # Nothing is left of the end where it is a sigmoid: gradients do not vanish where it is sure.
    kinds = {node.op_type for node in onnx.load(str(tmp_path / "bundle" / "classifier.onnx")).graph.node}
    assert kinds.isdisjoint({"Sigmoid", "Softmax", "LogSoftmax"})


@pytest.mark.parametrize("form", [None, as_script, as_trace])
@pytest.mark.parametrize("end", ["", "sigmoid", "two sigmoids", "softmax"])
def test_gradients_are_of_the_logit_and_those_of_the_compiled_graph(
    tmp_path: Path, end: str, form: Callable[[nn.Module, Path], None] | None
) -> None:
    network = randomised(Small(end))
    if form is None:
        model = source(network)
    else:
        form(network, tmp_path / "model.ts")
        model = import_torchscript(tmp_path / "model.ts", SETTINGS)
    images = noise(model)
    assert model.original is not None
    model.original.logits(images)  # TorchScript changes a program after it ran
    made = model.original.gradients(images, 1)
    assert made is not None
    graph_logits(model, tmp_path / "bundle", images)
    compiled = gradient.compile(tmp_path / "bundle" / "classifier.onnx", wrt="image", seed="seed")
    session = onnxruntime.InferenceSession(compiled.SerializeToString(), providers=["CPUExecutionProvider"])
    seed = np.array([[0, 1, 0]], np.float32)
    name = session.get_outputs()[1].name
    expected = np.concatenate([session.run([name], {"image": image[None], "seed": seed})[0] for image in images])
    assert np.abs(expected).max() > 1e-4
    assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize("form", [None, as_script])
def test_of_several_outputs_the_first_is_taken(tmp_path: Path, form: Callable[[nn.Module, Path], None] | None) -> None:
    network = randomised(TwoOutputs())
    if form is None:
        model = source(network)
    else:
        form(network, tmp_path / "model.ts")
        model = import_torchscript(tmp_path / "model.ts", SETTINGS)
    images = noise(model)
    assert isinstance(network, TwoOutputs)
    expected = expected_logits(network.inner, torch.from_numpy(images))
    assert apart(graph_logits(model, tmp_path / "bundle", images), expected) <= 1e-5


def test_an_end_that_says_nothing_asks_what_the_network_gives(tmp_path: Path) -> None:
    network = randomised(Small("hard"))
    with pytest.raises(SettingsError, match="ends with hardsigmoid, which does not tell what it gives"):
        source(network)
    model = source(network, replace(SETTINGS, output="probabilities"))
    images = noise(model)
    with torch.inference_mode():
        own = network(torch.from_numpy(images)).double().numpy()
    assert ((own > 0) & (own < 1)).all()
    assert_allclose(sigmoid(graph_logits(model, tmp_path, images)), own, atol=1e-6)


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("logits", lambda scores: 1 / (1 + np.exp(-scores))),
        ("softmax", lambda scores: np.exp(scores) / np.exp(scores).sum(1, keepdims=True)),
    ],
)
def test_scores_are_what_their_user_says(
    tmp_path: Path,
    said: OutputKind,
    share: Callable[
        [np.ndarray[tuple[int, int], np.dtype[np.float64]]], np.ndarray[tuple[int, int], np.dtype[np.float64]]
    ],
) -> None:
    network = randomised(Small())
    model = source(network, replace(SETTINGS, output=said))
    images = noise(model)
    assert isinstance(network, Small)
    scores = expected_logits(network, torch.from_numpy(images))
    assert_allclose(sigmoid(graph_logits(model, tmp_path, images)), share(scores), atol=1e-6)
    assert model.original is not None
    assert_allclose(sigmoid(model.original.logits(images)), share(scores), atol=1e-6)


def test_a_softmax_over_sigmoids_cannot_be() -> None:
    with pytest.raises(SettingsError, match='output is "softmax", but the model ends with sigmoid'):
        source(randomised(Small("sigmoid")), replace(SETTINGS, output="softmax"))


def test_images_that_the_network_does_not_take_are_an_error() -> None:
    with pytest.raises(ModelError, match=r"does not run on an image of \[1, 1, 64, 64\].*Say what it takes"):
        source(randomised(Small(channels=3)))


def test_a_network_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    class Unwritten(Small):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images) * (2 if float(images.sum()) > 0 else 1)

    model = source(randomised(Unwritten()), replace(SETTINGS, output="logits"))
    with pytest.raises(ExportError, match=r"PyTorch cannot write this network as ONNX: .*sitegen import onnx"):
        model.write(tmp_path)


def test_torchscript_of_weights_alone_is_refused(tmp_path: Path) -> None:
    torch.save(dense_weights(LITTLE), tmp_path / "weights.pt")
    with pytest.raises(ModelError, match=r"is no TorchScript archive\. Import a checkpoint of weights with"):
        import_torchscript(tmp_path / "weights.pt", SETTINGS)


def test_torchscript_with_nan_is_refused(tmp_path: Path) -> None:
    network = randomised(Small())
    assert isinstance(network, Small)
    network.last.bias.data[1] = float("nan")
    as_script(network, tmp_path / "model.ts")
    with pytest.raises(ModelError, match=r"1 of the 3 numbers of the weights 'last\.bias' are NaN or infinite"):
        import_torchscript(tmp_path / "model.ts", SETTINGS)


def test_the_same_checkpoint_gives_the_same_bytes(tmp_path: Path) -> None:
    torch.save(dense_weights(DenseNetSettings(growth=4, blocks=(1, 1), stem=8, labels=3)), tmp_path / "weights.pt")
    written = []
    for name in ("one", "two"):
        model = import_torch(tmp_path / "weights.pt", SETTINGS, "densenet, growth = 4, blocks = [1, 1], stem = 8")
        (tmp_path / name).mkdir()
        model.write(tmp_path / name)
        written.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"classifier.onnx", "classifier.weights"}
