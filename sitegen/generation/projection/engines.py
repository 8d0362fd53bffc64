"""Who projects: PyTorch, by a generator's file; or ONNX Runtime, by a graph: a bundle's, or one made of the file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sitegen.bundle import DESCRIPTION, load_bundle
from sitegen.errors import SettingsError
from sitegen.generation.projection.described import FILE, described
from sitegen.generation.projection.graph_engine import Projector, model_of
from sitegen.generation.projection.losses import pixel_distance
from sitegen.generation.projection.of_generator import drawn_of, image_of
from sitegen.generation.projection.step_graph import write_step_graph
from sitegen.generation.projection.torch_engine import Distance, Fitted, Values, fit
from sitegen.generation.projection.work import digest
from sitegen.generation.reading import open_generator
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.projection.loop import ROLE
from sitegen_runtime.projection.schedule import Wish

TORCH, ONNX = "torch", "onnx"
ENGINES = (TORCH, ONNX)


@dataclass(frozen=True)
class Engine:
    """How images become what is projected, what projects a batch of them, and plain data on both."""

    image: NetworkInput
    fit: Callable[[Values], Fitted]
    made_by: dict[str, Any]


@dataclass(frozen=True)
class Loss:
    """What drawings are compared by, and plain data on it."""

    distance: Distance
    made_by: dict[str, Any]


@contextmanager
def open_engine(
    generator: Path,
    wish: Wish,
    engine: str | None = None,
    *,
    device: str = "cpu",
    label: int | None = None,
    tell: Callable[[float], None] | None = None,
    loss: Loss | None = None,
    frames: bool = False,
) -> Iterator[Engine]:
    """Give what projects with a generator's file or a bundle: by default PyTorch with the first, ONNX with the second.

    `loss` is compared by instead of pixels, and only by PyTorch; `frames` keeps drawings on the way. Raises
    BundleError, CheckpointError, and SettingsError where the bundle has no generator, or an engine cannot do this.
    """
    bundled = (generator / DESCRIPTION).is_file()
    if loss and (bundled or engine == ONNX):
        wanted = (
            f"Name the file that the generator was trained to, not {generator}." if bundled else "Leave --engine out."
        )
        raise SettingsError(f"Features are compared by PyTorch alone: a graph has its own loss in it. {wanted}")
    if bundled:
        yield _of_bundle(generator, wish, engine, tell, frames)
        return
    trained = open_generator(generator)
    drawn = drawn_of(trained, label)
    told_of = loss.made_by if loss else None
    made_by = {"generator": digest(generator), "engine": engine or TORCH, "class": label, "loss": told_of}
    distance = loss.distance if loss else pixel_distance
    if engine != ONNX:

        def fitted(images: Values) -> Fitted:
            told = (lambda step: tell(step / wish.steps)) if tell else None
            return fit(drawn, images, wish, distance=distance, device=device, tell=told, frames=frames)

        yield Engine(image_of(drawn), fitted, made_by)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        write_step_graph(drawn, path)
        projector = Projector(model_of(generator.name, described(drawn)), path)
        yield Engine(image_of(drawn), lambda images: projector.fit(images, wish, tell, frames), made_by)


def _of_bundle(
    folder: Path, wish: Wish, engine: str | None, tell: Callable[[float], None] | None, frames: bool
) -> Engine:
    bundle = load_bundle(folder)
    graphs = bundle.model.graphs
    if ROLE not in graphs:
        raise SettingsError(
            f"The bundle {folder} has no generator; it has the networks {', '.join(graphs)}. Give it one with: "
            f"sitegen attach {folder} --generator FILE -o BUNDLE"
        )
    if engine == TORCH:
        raise SettingsError(
            f"The bundle {folder} holds its generator as a graph, which PyTorch does not run. Leave --engine out, or "
            "name the file that the generator was trained to."
        )
    projector = Projector(bundle.model, bundle.graph_path(ROLE))
    made_by = {"generator": digest(bundle.graph_path(ROLE)), "engine": ONNX, "class": None, "loss": None}
    return Engine(graphs[ROLE].images[0], lambda images: projector.fit(images, wish, tell, frames), made_by)
