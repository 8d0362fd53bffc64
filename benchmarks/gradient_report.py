"""Tables, to be read and to be pasted into Markdown, and the chart of the benchmark of gradients."""

from collections.abc import Mapping, Sequence

from bar_chart import Bar, bar_chart
from gradient_conditions import EXPLAIN, ONE_SESSION, ORT_WEB, PREDICT
from rich.box import MARKDOWN
from rich.table import Table
from samples import Rounds, ratios, summarise
from session_memory import Run

Times = Mapping[str, Rounds]
_LIMIT = 1.15  # the chart shows nothing longer than the slowest condition of all rounds, and a little


def times_table(times: Times) -> Table:
    """Return milliseconds and ratios: to the same engine's forward run, and to ONNX Runtime Web at the same task."""
    table = Table(
        "engine",
        "task",
        "ms",
        "times its forward run",
        "times ONNX Runtime Web",
        "rounds",
        title="Median (minimum to maximum); ratios within a round",
        box=MARKDOWN,
    )
    for name, values in times.items():
        engine, task = name.split(": ")
        ran = [value for value in values if value is not None]
        own = _ratio(times, name, f"{engine}: {PREDICT}") if task == EXPLAIN else ""
        table.add_row(
            engine, task, summarise(values).text(), own, _ratio(times, name, f"{ORT_WEB}: {task}"), str(len(ran))
        )
    return table


def _ratio(times: Times, name: str, reference: str) -> str:
    if reference not in times or reference == name:
        return ""
    return summarise(ratios(times[name], times[reference])).text(2)


def sessions_table(sessions: Mapping[str, Sequence[Run]]) -> Table:
    """Return what each arrangement of sessions took to make, and its memory."""
    quantities = list(dict.fromkeys(quantity for runs in sessions.values() for quantity in runs[0]))
    table = Table("kept", *quantities, title="A fresh browser each; median (minimum to maximum)", box=MARKDOWN)
    for arrangement, runs in sessions.items():
        cells = [
            summarise([run[quantity] for run in runs]).text() if quantity in runs[0] else "" for quantity in quantities
        ]
        table.add_row(arrangement, *cells)
    return table


def chart(times: Times, place: str) -> str:
    """Return the bar chart of all conditions but the switch, whose bars would be the sessions' again."""
    shown = {name: values for name, values in times.items() if not name.startswith(ONE_SESSION)}
    rounds = max(sum(value is not None for value in values) for values in shown.values())
    usual = [summarise(values).median for values in shown.values() if None not in values]
    bars = []
    for name, values in shown.items():
        engine, task = name.split(": ")
        summary = summarise(values)
        bars.append(Bar(engine, summary.median, summary.least, summary.most, task))
    words = "; ".join(f"{name} {summarise(values).median:,.0f} ms" for name, values in shown.items())
    return bar_chart(
        "DenseNet-121, 224 x 224: milliseconds for one image",
        f"Medians of up to {rounds} rounds on {place}: {words}. "
        "On one thread, but for WebGL. Lines are ranges; cut bars are longer than shown.",
        bars,
        limit=_LIMIT * max(usual),
    )
