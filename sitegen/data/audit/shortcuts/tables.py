"""The shortcut audit as tables for a terminal: what fails is red, and marked for those who see no red."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from sitegen.data.audit.shortcuts.document_types import IntervalDocument, ShortcutsDocument, ToldDocument
from sitegen.data.audit.shortcuts.verdict import interval_in_words, key, unaccepted

_COLUMNS = 5
_SHOWN = 20


def shortcut_tables(shortcuts: ShortcutsDocument) -> Iterator[Table | str]:
    """Yield the tables of a shortcut audit, and sentences on what could not be measured."""
    measured = [told for told in shortcuts["told"] if not told["unmeasured"]]
    for start in range(0, len(measured), _COLUMNS):
        yield _told_table(measured[start : start + _COLUMNS], shortcuts)
    yield from (
        f"Not measured: {_named(told)}: {told['unmeasured']}." for told in shortcuts["told"] if told["unmeasured"]
    )
    if shortcuts["sources_told"]:
        yield _sources_table(shortcuts)
    if shortcuts["failures"]:
        yield _failures_table(shortcuts)
    yield from (
        f"The audit itself is at fault: it tells shuffled labels of {label}." for label in shortcuts["at_fault"]
    )
    yield from shortcuts["remarks"]


def failure_count(shortcuts: ShortcutsDocument | None) -> int:
    """Return how many failures nobody accepted; labels for which the audit itself is at fault count, too."""
    return len(unaccepted(shortcuts)) + len(shortcuts["at_fault"]) if shortcuts else 0


def _told_table(parts: Sequence[ToldDocument], shortcuts: ShortcutsDocument) -> Table:
    title = f"How well labels are told by what is no anatomy: AUC by patient, {shortcuts['images']} images"
    limits = shortcuts["limits"]
    caption = (
        f"! fails: the lower end of the interval is above {limits['family']:g}, together {limits['together']:g}; "
        "+ is accepted"
    )
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column("", no_wrap=True)
    for told in parts:
        table.add_column(_named(told), overflow="fold")
    for name, number in (("images", "images"), ("with it", "positives")):
        table.add_row(name, *(str(dict(told)[number]) for told in parts))
    table.add_section()
    failing = {
        (failure["label"], failure["within"], failure["family"]): failure["accepted"]
        for failure in shortcuts["failures"]
    }
    for family in parts[0]["families"]:
        cells = [
            _cell(told["families"][family], failing.get((told["label"], told["within"], family))) for told in parts
        ]
        table.add_row(family, *cells)
    table.add_section()
    table.add_row("the whole image", *(_cell(told["whole_image"], None) for told in parts))
    table.add_row("shuffled labels", *(_cell(told["shuffled"], None) for told in parts))
    return table


def _named(told: ToldDocument) -> str:
    return f"{told['label']}\nin {told['within']}" if told["within"] else told["label"]


def _cell(auc: IntervalDocument | None, accepted: str | None) -> Text:
    """An AUC; `accepted` is the reason why it is let pass, "" where it fails, None where it does neither."""
    if auc is None:
        return Text("–")
    mark = "" if accepted is None else "+" if accepted else "!"
    return Text(f"{auc['value']:.2f}{mark}", style="bold red" if mark == "!" else "")


def _sources_table(shortcuts: ShortcutsDocument) -> Table:
    table = Table("source", "among images", "number", "by measures", "by a thumbnail", title_justify="left")
    table.title = "How well a source is told from its images"
    for told in shortcuts["sources_told"]:
        among = f"{'with' if told['present'] else 'without'} {told['label']}"
        aucs = (told[name] for name in ("measures", "thumbnail"))
        cells = (interval_in_words(auc) if auc else "–" for auc in aucs)
        table.add_row(told["source"] or "not said", among, str(told["images"]), *cells)
    return table


def _failures_table(shortcuts: ShortcutsDocument) -> Table:
    table = Table("fails", "within", "AUC (95 % interval)", "accepted, because", title_justify="left")
    table.title = "Labels that are told too well"
    failures = sorted(shortcuts["failures"], key=lambda failure: (bool(failure["accepted"]), -failure["auc"]["low"]))
    for failure in failures[:_SHOWN]:
        style = "" if failure["accepted"] else "bold red"
        name = Text(key(failure["label"], failure["family"]), style=style)
        table.add_row(name, failure["within"] or "all", interval_in_words(failure["auc"]), failure["accepted"] or "no")
    if len(failures) > _SHOWN:
        table.caption = f"The first {_SHOWN} of {len(failures)}; all are in --json FILE"
    return table
