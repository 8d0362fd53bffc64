"""The tables of a card, in Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sitegen.bundle.fitting import seen_words, size_words
from sitegen.export.write_bundle import Draft
from sitegen_runtime.bundle.model import NetworkInput

SPLITS = {"train": "training", "valid": "validation", "test": "test"}


def plain(text: object) -> str:
    """Return a text in one line that Markdown, and HTML in it, leaves as it is."""
    escaped = re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(str(text).split()))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(settings: Mapping[str, Any]) -> str:
    """Return settings as "name value, name value"; a `kind` comes first, by itself."""
    parts = [str(settings["kind"])] if "kind" in settings else []
    parts += [f"{name.replace('_', ' ')} {_value(value)}" for name, value in settings.items() if name != "kind"]
    return plain(", ".join(parts))


def number(value: float | None) -> str:
    """Return a figure with three digits, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def network_table(draft: Draft, image: NetworkInput, gate: str) -> str:
    """What the network is and takes, and what the gate is, in words."""
    made = draft.provenance
    low, high = image.range
    size = f"{size_words(image)} {image.colour}, {seen_words(image)}, {low:g} to {high:g}"
    if set(image.mean) != {0.0} or set(image.std) != {1.0}:
        size += f", less {listed({'mean': image.mean})}, divided by {listed({'std': image.std})}"
    settings = {name: value for name, value in made["network"].items() if name not in ("name", "labels", "channels")}
    rows = [
        ["weights", f"{made['parameters']:,}"],
        ["input", size],
        ["output", "one logit" if len(draft.labels) == 1 else f"{len(draft.labels)} logits, one a finding"],
        ["gate", gate],
    ]
    return table(["network", f"{plain(made['network']['name'])}: {listed(settings)}"], rows)


def data_table(data: Mapping[str, Any]) -> str:
    """How many images of each source are in each split, and of how many patients."""
    splits = list(data["images"])
    sources = list(dict.fromkeys(source for counts in data["images"].values() for source in counts))
    rows = [
        [plain(source or "not said"), *(str(data["images"][split].get(source, 0)) for split in splits)]
        for source in sources
    ]
    rows.append(["patients", *(str(data["patients"][split]) for split in splits)])
    return table(["images", *map(split_name, splits)], rows)


def prevalence_table(data: Mapping[str, Any]) -> str:
    """In how many images of each split each finding is present, of those in which it is known."""
    splits = list(data["images"])
    rows = [
        [plain(label), *(f"{counts[split]['present']} of {counts[split]['known']}" for split in splits)]
        for label, counts in data["labels"].items()
    ]
    return table(["images with", *map(split_name, splits)], rows)


def table_of_phases(phases: Sequence[Mapping[str, Any]], done: Sequence[Mapping[str, Any]]) -> str:
    """What each phase of training was to do, and, where it is recorded, what it achieved."""
    rows = []
    for at, phase in enumerate(phases):
        result = done[at] if at < len(done) else {}
        epochs = f"{result['epochs']} of {phase['epochs']}" if "epochs" in result else str(phase["epochs"])
        score = number(result.get("best_valid_auc"))
        rows.append([str(at + 1), plain(phase["trains"]), epochs, listed(phase["schedule"]), score])
    return table(["phase", "layers", "epochs", "schedule", "best validation AUC"], rows)


def table_of_members(members: Sequence[Mapping[str, Any]]) -> str:
    """What each member changed in the settings of the training, and what its phases achieved."""
    rows = [[str(at), listed(member["changes"]), *_achieved(member["phases"])] for at, member in enumerate(members, 1)]
    return table(["member", "changes", "epochs", "best validation AUC", "last"], rows)


def _achieved(phases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Epochs, best and last AUC of all phases, one after the other."""
    cells = [[str(each["epochs"]), number(each["best_valid_auc"]), number(each["last_valid_auc"])] for each in phases]
    return [", ".join(column) for column in zip(*cells, strict=True)]


def split_name(name: str) -> str:
    """Return what a split is called here: its own name where it is none of the three."""
    return SPLITS.get(name, plain(name))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({', '.join(f'{name} {_value(each)}' for name, each in value.items())})"
    if isinstance(value, (list, tuple)):
        return " ".join(_value(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
