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
from sitegen.evaluation.explanations.document import How, explanation_document, no_figures
from sitegen.evaluation.explanations.document_types import ExplanationFigures, ExplanationStudyDocument
from sitegen.evaluation.explanations.graphs import PARTS, Graphs, open_graphs, why_not
from sitegen.evaluation.explanations.localisation.cases import listed
from sitegen.evaluation.explanations.localisation.study import Localisation, localise
from sitegen.evaluation.explanations.measures import Case, measure
from sitegen.evaluation.explanations.planted import planted
from sitegen.evaluation.explanations.planted_network import FIRST_TEST, as_input, train_on_marks, write_trained_bundle
from sitegen.evaluation.explanations.sanity import Sanity, check_sanity
from sitegen.evaluation.explanations.seeing import see
from sitegen.networks.trained import load_trained
from sitegen.prediction import Predictor
from sitegen_runtime.maps.methods import MANY_RUNS, METHODS

NAMES = (*METHODS, *PARTS)
QUICK = tuple(name for name in METHODS if METHODS[name].runs == 1)
"""Methods that are compared with boxes where none is named: those that do not run a network dozens of times a map."""
USUAL = tuple(name for name in NAMES if name not in METHODS or METHODS[name].runs < MANY_RUNS)
"""What is measured otherwise where no method is named: what does not run a network hundreds of times a map."""


@dataclass(frozen=True)
class Study:
    """What to evaluate: images and a model, either a bundle's folder or a checkpoint; or `planted` test images.

    `methods` None are all. `finding` None is each image's most probable one. The sanity check takes the first
    `sanity_images` images, none with 0. With `every_image`, curves are drawn also where the model says no. With
    `boxes`, a CSV file, maps are compared with the boxes of a `split`, and nothing else is done unless `all_parts`.
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
    boxes: Path | None = None
    split: str | None = None
    all_parts: bool = False
    how: How = field(default_factory=How)


@dataclass(frozen=True)
class _Read:
    """The images that can be explained, and a problem for each of the others."""

    cases: list[Case]
    problems: list[ProblemDocument]


@dataclass(frozen=True)
class _Usual:
    """The figures of everything but boxes, how many images each finding was explained for, and a problem for each image
    that could not be."""

    figures: ExplanationFigures
    findings: dict[str, int]
    problems: list[ProblemDocument]


def study(asked: Study) -> ExplanationStudyDocument:
    """Return the document that docs/explanation-evaluation.md describes.

    Raises SettingsError for methods and findings that there are not, DataError where no image can be explained, and
    what the readers of models raise.
    """
    _check(asked)
    with _bundle(asked) as bundle:
        graphs = open_graphs(bundle)
        alone = asked.boxes is not None and not asked.all_parts
        wanted = asked.methods or (QUICK if alone else USUAL)
        reasons = {name: why_not(graphs, name) for name in wanted}
        methods = [name for name in wanted if reasons[name] is None]
        boxed = _boxed(bundle, methods, asked)
        usual = _alone(boxed, asked) if boxed and alone else _usual(bundle, graphs, methods, asked)
        problems = {each["file"]: each for each in [*usual.problems, *(boxed.problems if boxed else ())]}
        labels = [label.name for label in bundle.model.labels]
        return {
            **usual.figures,
            "localisation": boxed.document if boxed else None,
            "model": {
                "kind": "planted" if asked.planted else "bundle",
                "file": str(asked.model or ""),
                "labels": labels,
                "name": bundle.model.name,
                "version": bundle.model.version,
                "sha256": bundle.model.sha256,
            },
            "finding": asked.finding,
            "findings": {label: usual.findings.get(label, 0) for label in labels},
            "unavailable": [{"name": name, "reason": reason} for name, reason in reasons.items() if reason],
            "unreadable": list(problems.values()),
        }


def _check(asked: Study) -> None:
    unknown = [name for name in asked.methods or () if name not in NAMES]
    if unknown:
        raise SettingsError(f"There is no method {unknown[0]!r}. There are {', '.join(NAMES)}.")
    if asked.planted and (asked.images or asked.model or asked.boxes):
        raise SettingsError("Planted marks have images and a network of their own: name no others beside --planted.")
    if not asked.planted and not asked.images:
        raise SettingsError("Name images to explain, or --planted for synthetic ones with a known answer.")
    if not asked.boxes and (asked.split or asked.all_parts):
        raise SettingsError("--split and --all-parts belong to boxes. Name a table of them with --boxes.")


def _boxed(bundle: Bundle, methods: Sequence[str], asked: Study) -> Localisation | None:
    """Maps against boxes, where a table of them is named."""
    if asked.boxes is None:
        return None
    _check_finding(bundle, asked)
    return localise(
        bundle,
        listed(asked.images),
        asked.boxes,
        methods,
        split=asked.split,
        finding=asked.finding,
        force=asked.force,
        resamples=asked.how.resamples,
        seed=asked.how.seed,
    )


def _alone(boxed: Localisation, asked: Study) -> _Usual:
    """Nothing but what is known of the images with boxes."""
    document = boxed.document
    figures = no_figures(document["images"], document["all"]["patients"], asked.how)
    return _Usual(figures, {part["finding"]: part["cases"] for part in document["findings"]}, boxed.problems)


def _usual(bundle: Bundle, graphs: Graphs, methods: Sequence[str], asked: Study) -> _Usual:
    """Curves, agreement, planted marks and the sanity check."""
    read = _planted_cases(graphs, asked.planted) if asked.planted else _cases(bundle, asked)
    if not read.cases:
        first = f" The first: {read.problems[0]['problem']}" if read.problems else ""
        raise DataError(f"There is no image whose explanation could be measured.{first}")
    figures = _measured(graphs, read.cases, methods, asked)
    names = [label.name for label in bundle.model.labels]
    counts = {name: sum(case.finding == at for case in read.cases) for at, name in enumerate(names)}
    return _Usual(figures, counts, read.problems)


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
    _check_finding(bundle, asked)
    paths = [each for path in asked.images for each in (images_below(path) if path.is_dir() else [path])]
    predictor, owners, read = Predictor(bundle), _patients(paths), _Read([], [])
    for path in paths:
        found = _case(predictor, path, owners.get(path.resolve(), str(path)), asked)
        if isinstance(found, Case):
            read.cases.append(found)
        else:
            read.problems.append({"file": str(path), "problem": found})
    return read


def _check_finding(bundle: Bundle, asked: Study) -> None:
    labels = [label.name for label in bundle.model.labels]
    if asked.finding is not None and asked.finding not in labels:
        raise SettingsError(f"The model has no finding {asked.finding!r}. It has {', '.join(map(repr, labels))}.")


def _case(predictor: Predictor, path: Path, patient: str, asked: Study) -> Case | str:
    """An image as the page would see it, or why it has no explanation."""
    seen = see(predictor, path, force=asked.force)
    if isinstance(seen, str):
        return seen
    labels = predictor.model.labels
    at = [label.name for label in labels].index(asked.finding) if asked.finding else int(np.argmax(seen.logits))
    probability = seen.probability(at)
    return Case(str(path), patient, seen.image, at, probability, probability >= labels[at].operating_point)


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
