"""The evaluation of explanations from files: a bundle or a checkpoint, on images of one's own or on planted marks.

`study` has each image analysed as the page would, and `sitegen.evaluation.explanations.measures` measure its maps.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from sitegen.bundle import Bundle, load_bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.data.layouts.class_folders import images_below
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.manifest import MANIFEST
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.explanations.document import How, explanation_document
from sitegen.evaluation.explanations.document_types import ExplanationFigures, ExplanationStudyDocument
from sitegen.evaluation.explanations.graphs import PARTS, Graphs, open_graphs, why_not
from sitegen.evaluation.explanations.measures import Case, measure
from sitegen.evaluation.explanations.planted import planted
from sitegen.evaluation.explanations.planted_network import FIRST_TEST, as_input, train_on_marks, write_trained_bundle
from sitegen.evaluation.explanations.sanity import Sanity, check_sanity
from sitegen.networks.trained import load_trained
from sitegen.prediction import Predictor
from sitegen_runtime.maps.methods import METHODS

NAMES = (*METHODS, *PARTS)


@dataclass(frozen=True)
class Study:
    """What to evaluate: images and a model, either a bundle's folder or a checkpoint; or `planted` test images.

    `methods` None are all. `finding` None is each image's most probable one. The sanity check takes the first
    `sanity_images` images, none with 0. With `every_image`, curves are drawn also where the model says no.
    """

    images: Sequence[Path] = ()
    model: Path | None = None
    planted: int = 0
    methods: Sequence[str] | None = None
    finding: str | None = None
    force: bool = False
    every_image: bool = False
    sanity_images: int = 8
    sanity_draws: int = 2
    stages: int = 8
    how: How = field(default_factory=How)


@dataclass(frozen=True)
class _Read:
    """The images that can be explained, and a problem for each of the others."""

    cases: list[Case]
    problems: list[ProblemDocument]


def study(asked: Study) -> ExplanationStudyDocument:
    """Return the document that docs/explanation-evaluation.md describes.

    Raises SettingsError for methods and findings that there are not, DataError where no image can be explained, and
    what the readers of models raise.
    """
    _check(asked)
    with _bundle(asked) as bundle:
        graphs = open_graphs(bundle)
        read = _planted_cases(graphs, asked.planted) if asked.planted else _cases(bundle, asked)
        if not read.cases:
            first = f" The first: {read.problems[0]['problem']}" if read.problems else ""
            raise DataError(f"There is no image whose explanation could be measured.{first}")
        wanted = asked.methods or NAMES
        reasons = {name: why_not(graphs, name) for name in wanted}
        methods = [name for name in wanted if reasons[name] is None]
        figures = _measured(graphs, read.cases, methods, asked)
        labels = [label.name for label in bundle.model.labels]
        return {
            **figures,
            "model": {
                "kind": "planted" if asked.planted else "bundle",
                "file": str(asked.model or ""),
                "labels": labels,
                "name": bundle.model.name,
                "version": bundle.model.version,
                "sha256": bundle.model.sha256,
            },
            "finding": asked.finding,
            "findings": {label: sum(case.finding == at for case in read.cases) for at, label in enumerate(labels)},
            "unavailable": [{"name": name, "reason": reason} for name, reason in reasons.items() if reason],
            "unreadable": read.problems,
        }


def _check(asked: Study) -> None:
    unknown = [name for name in asked.methods or () if name not in NAMES]
    if unknown:
        raise SettingsError(f"There is no method {unknown[0]!r}. There are {', '.join(NAMES)}.")
    if asked.planted and (asked.images or asked.model):
        raise SettingsError("Planted marks have images and a network of their own: name no others beside --planted.")
    if not asked.planted and not asked.images:
        raise SettingsError("Name images to explain, or --planted for synthetic ones with a known answer.")


@contextmanager
def _bundle(asked: Study) -> Iterator[Bundle]:
    """Give the model as a bundle: as it is, or made of a checkpoint, or of a network that is trained here and now."""
    if asked.model and asked.model.is_dir():
        yield load_bundle(asked.model)
        return
    with tempfile.TemporaryDirectory(prefix="sitegen-") as folder:
        trained = load_trained(asked.model) if asked.model else train_on_marks()
        yield write_trained_bundle(trained, Path(folder), "planted" if asked.planted else "checkpoint")


def _planted_cases(graphs: Graphs, count: int) -> _Read:
    """Test images with marks: the odd seeds."""
    test = planted(range(FIRST_TEST + 1, FIRST_TEST + 2 * count, 2))
    cases = []
    for place, (image, mark) in enumerate(zip(as_input(test.images), test.marks, strict=True)):
        probability = graphs.probability(image, 0)
        cases.append(Case(f"planted-{place}", f"planted-{place}", image, 0, probability, probability >= 0.5, mark))
    return _Read(cases, [])


def _cases(bundle: Bundle, asked: Study) -> _Read:
    labels = [label.name for label in bundle.model.labels]
    if asked.finding is not None and asked.finding not in labels:
        raise SettingsError(f"The model has no finding {asked.finding!r}. It has {', '.join(map(repr, labels))}.")
    paths = [each for path in asked.images for each in (images_below(path) if path.is_dir() else [path])]
    predictor, owners, read = Predictor(bundle), _patients(paths), _Read([], [])
    for path in paths:
        found = _case(predictor, path, owners.get(path.resolve(), str(path)), asked)
        if isinstance(found, Case):
            read.cases.append(found)
        else:
            read.problems.append({"file": str(path), "problem": found})
    return read


def _case(predictor: Predictor, path: Path, patient: str, asked: Study) -> Case | str:
    """An image as the page would see it, or why it has no explanation."""
    try:
        analysis = predictor.analyse(path.read_bytes(), str(path), force=asked.force)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if "error" in analysis.document or analysis.seen is None:
        return str(analysis.document["error"]["message"])
    if not analysis.document["findings"]:
        return "The gate refuses it. To explain it all the same: --force"
    labels = predictor.model.labels
    logits = [finding["logit"] for finding in analysis.document["findings"]]
    at = [label.name for label in labels].index(asked.finding) if asked.finding else int(np.argmax(logits))
    probability = float(1 / (1 + np.exp(-logits[at])))
    shape = predictor.model.graphs["classifier"].images[0].shape
    image = np.frombuffer(analysis.seen.image.values, np.float32).reshape(shape)[0]
    return Case(str(path), patient, image, at, probability, probability >= labels[at].operating_point)


def _patients(paths: Sequence[Path]) -> dict[Path, str]:
    """The patient of each image that a manifest beside it, or one folder above, lists."""
    folders = {folder for path in paths for folder in (path.parent.resolve(), path.parent.resolve().parent)}
    listed = [record for folder in sorted(folders) if (folder / MANIFEST).is_file() for record in read_dataset(folder)]
    return {record.path.resolve(): record.patient for record in listed}


def _measured(graphs: Graphs, cases: Sequence[Case], methods: Sequence[str], asked: Study) -> ExplanationFigures:
    console = Console(stderr=True)
    checked = [(case.image, case.finding) for case in cases[: asked.sanity_images]]
    models = asked.sanity_draws * (2 * asked.stages - 1) if checked else 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Explaining", total=len(cases) + models)
        found = []
        for case in cases:
            found.append(measure(graphs, case, methods, asked.how.steps, asked.how.seed, asked.every_image))
            progress.advance(task)
        sanity: Sanity | None = None
        if checked:
            sanity = check_sanity(
                graphs,
                checked,
                methods,
                asked.stages,
                asked.sanity_draws,
                asked.how.seed,
                lambda: progress.advance(task),
            )
    return explanation_document(cases, found, sanity, asked.how)
