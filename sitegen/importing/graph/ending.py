"""How a classifier's graph ends, and so what its output is: read from its operators, and where they do not tell, from
what it gives for noise.

What its user says is held against both: nothing is taken for a probability that is not between 0 and 1.
"""

from dataclasses import dataclass
from typing import Literal

from onnx import ModelProto, NodeProto

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.graph.bounds import FAR, Known
from sitegen.importing.graph.image import labels_of_output, producer
from sitegen.importing.graph.passes import attribute
from sitegen.importing.graph.probe import Probed, probe
from sitegen.importing.graph.ranges import bounds_of
from sitegen.importing.graph.shapes import shapes_of
from sitegen.importing.settings import OutputKind

CLOSEST = 1e-7  # to 0 and 1 that a probability is taken for; float32 has no number nearer to 1 but 1 - 6e-8
ARRANGES = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
PICKS = {"Gather", "Slice"}
# The operators that networks end with where they give logits.
_LINEAR = {"Add", "BatchNormalization", "Concat", "Conv", "DequantizeLinear", "Div", "Gemm", "GlobalAveragePool"}
_LINEAR |= {"MatMul", "Mean", "Mul", "Neg", "ReduceMean", "ReduceSum", "Sub", "Sum"}
_POSITIVE = {"exp", "reciprocal", "softplus"}  # what no softmax is applied to
# Behind which an order or a number of a class may hide.
_ON_THE_WAY = ARRANGES | PICKS | {"Add", "Concat", "Div", "Exp", "Log", "Mul", "Neg", "Sigmoid", "Softmax", "Sub"}
Ending = Literal["logits", "sigmoid", "softmax", "softmax of logits", "probabilities", "percentages"]


@dataclass(frozen=True)
class Head:
    """How a graph ends: the kind, and the operators that make probabilities of logits, where it has any."""

    ending: Ending
    nodes: tuple[NodeProto, ...] = ()

    @property
    def remark(self) -> str:
        """What becomes of it, as a sentence for people."""
        return _REMARKS[self.ending]


_LOG_ODDS = (
    f"and log(p / (1 - p)) was added: those nearer to 0 or 1 than {CLOSEST:g} are taken as {CLOSEST:g} from it, and "
    "have no gradient."
)
_REMARKS: dict[Ending, str] = {
    "logits": "The output was taken as logits: their sigmoid is shown as the probability.",
    "sigmoid": "The final sigmoid was removed: the bundle's graph gives logits, and the page applies the sigmoid.",
    "softmax": "The final softmax was replaced by logits of each finding against all others, of the same probability.",
    "softmax of logits": "The output was taken as what a softmax is applied to: logits of each finding against all "
    "others were made of it, whose sigmoid is the softmax's probability.",
    "probabilities": f"The output was taken as probabilities, {_LOG_ODDS}",
    "percentages": f"The output was taken as percentages, divided by 100, {_LOG_ODDS}",
}


def find_head(model: ModelProto, kind: OutputKind | None) -> Head:
    """Return how a model with one output [N, labels] ends; `kind` is what its user says it gives, None for nothing.

    Raises SettingsError where what is said cannot be, or where nothing tells; ModelError where the order of the outputs
    is not that of the findings.
    """
    name = model.graph.output[0].name
    _check_order(model, name)
    end = _behind(model, name, ARRANGES | PICKS)
    sigmoids = _sigmoids(model, name)
    if kind == "logits":
        return Head("logits")
    if sigmoids and kind in (None, "probabilities"):
        return Head("sigmoid", sigmoids)
    if end is not None and kind != "percentages" and _is_softmax_of_all(model, end, name):
        return Head("softmax", (end,))
    end_of = End(end.op_type if end is not None else "its input", bounds_of(model).get(name), bool(sigmoids))
    if kind is None:
        return Head(_told(end_of))
    check_softmax(kind, end_of, labels_of_output(model))
    return Head(as_said(kind, end_of, probe(model)))


@dataclass(frozen=True)
class End:
    """The last operator that changes numbers, between which they lie, and whether sigmoids alone make them."""

    operator: str
    bounds: Known
    sigmoid: bool


def _told(end: End) -> Ending:
    """How a graph ends of which its user says nothing."""
    found = end.bounds
    if found is not None and found.probability:
        return "probabilities"
    if found is not None and found.share:
        raise SettingsError(unclear(end))
    if end.operator not in _LINEAR or (found is not None and found.low >= 0 and found.high <= 1):
        raise SettingsError(f"The model ends with {end.operator}, which does not tell what it gives. {SAY}")
    return "logits"


SAY = 'Say it: output = "logits", "probabilities", "softmax" or "percentages".'


def unclear(end: End) -> str:
    """Return the sentence for an end that has to do with probabilities, and does not give them."""
    found = end.bounds
    limits = "," if found is None or found.low <= -FAR or found.high >= FAR else f", {found.low:g} to {found.high:g},"
    return (
        f"The model ends with {end.operator}{limits} and may have made it of probabilities, so that it is not told "
        f"what it gives. {SAY}"
    )


def check_softmax(kind: OutputKind, end: End, labels: int) -> None:
    """Raise SettingsError where a softmax is said of one output, or of sigmoids."""
    if kind == "softmax" and (end.sigmoid or labels < 2):
        raise SettingsError(
            f'output is "softmax", but the model ends with {end.operator} and has {labels} output(s). '
            'Say output = "probabilities", or leave it out.'
        )


def as_said(kind: OutputKind, end: End, seen: Probed) -> Ending:
    """Return how a model ends of which its user says what it gives. Raises SettingsError where that cannot be so."""
    if kind == "logits":
        return "logits"
    if kind == "probabilities" and seen.inside:
        return "probabilities"
    if kind == "percentages" and seen.percentages:
        return "percentages"
    if kind == "softmax" and seen.softmax:
        return "probabilities"
    bounded = end.bounds is not None and end.bounds.share and end.bounds.low > -FAR
    if kind == "softmax" and not (bounded or seen.shares_of_a_sum or end.operator.lower() in _POSITIVE):
        return "softmax of logits"
    fits = {"softmax": "0 to 1, with the sum 1", "probabilities": "0 to 1", "percentages": "0 to 100"}
    raise SettingsError(
        f'output is "{kind}", so that numbers of {fits[kind]} are due. The model ends with {end.operator}, and gives '
        f"numbers {seen} for noise{_sums(seen.values.sum(axis=1).tolist()) if kind == 'softmax' else ''}. "
        'Say another: "logits", "probabilities", "softmax" or "percentages", or leave it out.'
    )


def _sums(sums: list[float]) -> str:
    return f", with sums from {min(sums):.4g} to {max(sums):.4g}"


def _check_order(model: ModelProto, name: str) -> None:
    """Raise ModelError where what is sorted, or the number of a class, is taken for findings."""
    waiting, seen = [name], {name}
    while waiting:
        node = producer(model, waiting.pop())
        if node is None:
            continue
        if node.op_type in ("TopK", "ArgMax", "ArgMin", "NonMaxSuppression"):
            raise ModelError(
                f"The output {name!r} comes of {node.op_type}, so that its numbers are not in the order of the "
                f"findings, but sorted or chosen. Name what is before it in the settings: outputs = "
                f'["{node.input[0]}"], or export the model without it.'
            )
        if node.op_type in _ON_THE_WAY:
            waiting += [entry for entry in node.input if entry not in seen]
            seen.update(node.input)


def _behind(model: ModelProto, name: str, passed: set[str]) -> NodeProto | None:
    """Return the node that makes the values of a tensor, behind those operators that do not change values."""
    node = producer(model, name)
    while node is not None and node.op_type in passed:
        node = producer(model, node.input[0])
    return node


def _is_softmax_of_all(model: ModelProto, end: NodeProto, name: str) -> bool:
    """Whether a node is a softmax over all findings of the output, with nothing but a new arrangement after it."""
    if end.op_type not in ("Softmax", "LogSoftmax") or _behind(model, name, ARRANGES) is not end:
        return False
    sizes = shapes_of(model).sizes.get(end.input[0])
    return sizes is not None and 1 < labels_of_output(model) == sizes[attribute(end, "axis", -1)]


def _sigmoids(model: ModelProto, name: str) -> tuple[NodeProto, ...]:
    """Return the sigmoids that make all values of a tensor, also where those of several branches are joined."""
    node = _behind(model, name, ARRANGES | PICKS)
    if node is None:
        return ()
    if node.op_type == "Sigmoid":
        return (node,)
    branches = [_sigmoids(model, entry) for entry in node.input] if node.op_type == "Concat" else [()]
    return tuple(each for branch in branches for each in branch) if all(branches) else ()
