"""From a recipe file to a site: audit, verdict, train, export, evaluate, build, each step skipped where it is done.

In the work folder, beside what training writes:

    audit.json             what the data set holds, what is wrong with it, what tells its labels apart from findings
    gate.pt                the gate, where the recipe has one
    bundle/                the model, unless the recipe names another folder
    evaluation.html, .json what it achieves
    steps.json             which steps are done
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sitegen import __version__, resources
from sitegen.bundle import load_bundle
from sitegen.data.audit.tables import problem_count
from sitegen.data.dataset import read_records
from sitegen.data.records import VALID, Record
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.page import as_html
from sitegen.evaluation.classifier.study import Question, evaluate
from sitegen.gate.run import GATE, train_gate
from sitegen.locking import alone_in
from sitegen.recipe.audited import AUDIT, audit_recipe, rejudged, write_audit
from sitegen.recipe.bundle_localisation import boxes_of
from sitegen.recipe.export_bundle import export_bundle
from sitegen.recipe.steps import Step, key_of, run_steps
from sitegen.replacing import check_place
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import RecipeFile
from sitegen.site import build_site
from sitegen.training.prepare import INITIAL
from sitegen.training.run import CLASSIFIER, train

STAMPS, BUNDLE, REPORT = "steps.json", "bundle", "evaluation"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Chain:
    """What is to be made of a recipe, and where; `final` also opens the test images, for card and report."""

    recipe: Path
    file: RecipeFile
    work: Path
    out: Path
    place: Path | None = None
    final: bool = False
    images: tuple[Path, ...] = ()  # further folders for the gate's training

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        asked = self.file.export.bundle
        return self.file.place(asked).resolve() if asked else self.work / BUNDLE

    def run(self, say: Say) -> list[str]:
        """Do what is not done yet; return the names of the steps that ran. Raises what the steps raise."""
        check_place(self.out)
        with alone_in(self.work, STAMPS, "build"):
            return self._run_alone(say)

    def _run_alone(self, say: Say) -> list[str]:
        records = read_records(self.file, self.place)
        data = key_of([(*vars(record).values(), *_stamp(record.path)) for record in records])
        return run_steps(self._steps(records, data, say), self.work / STAMPS, say)

    def _steps(self, records: list[Record], data: str, say: Say) -> list[Step]:
        file, work = self.file, self.work
        sections = {name: value for name, value in settings_document(file).items() if name != "folder"}
        learnt = [sections[name] for name in ("name", "data", "image", "network", "training", "members")]
        learnt += [file.place(str(file.network[INITIAL]))] if INITIAL in file.network else []
        audited = [sections["data"]["labels"], sections["data"]["parts"], __version__]
        checkpoint, report = work / CLASSIFIER, work / f"{REPORT}.html"
        boxes = boxes_of(file, self.place, records) if self.final else None
        asked = [sections["export"], sections["gate"], sections["audit"], sections["evaluation"]["also"], self.final]
        exported = [*asked, boxes, checkpoint, data, *self._taken_over()]
        code = [__version__, resources.templates(), resources.runtime_source()]
        return [
            Step("audit", lambda: key_of(data, audited), (work / AUDIT,), lambda: self._audit(records, say)),
            Step("verdict", lambda: key_of(data, audited, sections["audit"]), (work / AUDIT,), self._judge),
            Step("train", lambda: key_of(data, *learnt), (checkpoint,), self._train),
            *self._gate_steps(data),
            Step("export", lambda: key_of(*exported), (self.bundle / "bundle.json",), lambda: self._export(say)),
            Step(
                "evaluate",
                lambda: key_of(self.bundle / "bundle.json", sections["evaluation"], self.final, data),
                (report,),
                self._evaluate,
            ),
            Step("build", lambda: key_of(self.bundle, *code), (self.out / "index.html",), lambda: self._build(say)),
        ]

    def _gate_steps(self, data: str) -> list[Step]:
        """The training of the gate, where the recipe has one. Its thresholds belong to the export."""
        file, plan = self.file, self.file.gate
        if plan is None:
            return []
        folders = [*map(file.place, plan.images), *self.images]
        images = [(str(path), *_stamp(path)) for folder in folders for path in sorted(folder.rglob("*"))]
        learnt = [file.data, file.image, plan.training, plan.images, plan.apart, *map(str, self.images), images]
        return [Step("gate", lambda: key_of(data, *learnt), (self.work / GATE,), self._train_gate)]

    def _taken_over(self) -> list[Path]:
        """The files that the bundle has parts of: of a gate's bundle only what the gate is."""
        asked, gate = self.file.export, self.file.place(self.file.export.gate)
        parts = [gate / "gate.onnx", gate / "gate.weights"] if asked.gate else []
        parts += [self.work / GATE] if self.file.gate else []
        return [*parts, self.file.place(asked.card)] if asked.card else parts

    def _audit(self, records: list[Record], say: Say) -> None:
        report = audit_recipe(self.file, records)
        write_audit(report, self.work / AUDIT)
        if found := problem_count(report):
            say(
                f"audit: {found} problem(s) in the data, named in {self.work / AUDIT}. "
                "Training goes on, without images that cannot be read."
            )

    def _judge(self) -> None:
        rejudged(self.file, self.work / AUDIT)

    def _train(self) -> None:
        train(self.file, self.work, self.place)

    def _train_gate(self) -> None:
        train_gate(self.file, self.work, self.place, more=self.images)

    def _export(self, say: Say) -> None:
        report = export_bundle(
            self.work / CLASSIFIER, self.bundle, self.place, self.work, final=self.final, recipe=self.file
        )
        for warning in report.warnings:
            say(f"export: {warning}")

    def _evaluate(self) -> None:
        split = self.file.evaluation.split if self.final else VALID
        answer = evaluate(Question(self.bundle, self.place, self.recipe, split, self.work))
        document = evaluation_document(answer.scored, prevalences=self.file.evaluation.prevalence)
        text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
        (self.work / f"{REPORT}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        (self.work / f"{REPORT}.html").write_text(as_html(document), encoding="utf-8", newline="\n")

    def _build(self, say: Say) -> None:
        build_site(load_bundle(self.bundle), self.out, lambda stage: say(f"build: {stage}"))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        seen = path.stat()
    except OSError:
        return (0, 0)
    return (seen.st_size, seen.st_mtime_ns)
