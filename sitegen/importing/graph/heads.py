"""The end of a classifier: whatever it gives, as logits whose sigmoid is the model's own probability.

    sigmoid        σ(z)                     z
    softmax        exp zᵢ / Σⱼ exp zⱼ       zᵢ − log Σ_{j≠i} exp zⱼ, for two outputs zᵢ − zⱼ
    probabilities  p, however made          log p − log(1 − p)

The second line is exact: p/(1 − p) is exp zᵢ over the sum of the others.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from onnx import ModelProto, NodeProto, helper

from sitegen.errors import SettingsError
from sitegen.importing.graph.image import labels_of_output, producer
from sitegen.importing.graph.passes import add_constant, attribute, drop_unused, free_name, name_nodes, names_in, rename
from sitegen.importing.graph.reading import nodes_of
from sitegen.importing.graph.shapes import shapes_of
from sitegen.importing.settings import OutputKind

CLOSEST = 1e-7  # to 0 and 1 that a probability is taken for; float32 has no number nearer to 1 but 1 - 6e-8
_MASKED = np.float32(-1e30)  # what no logit comes near; infinity would make NaN of differences
_ARRANGES = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
_PICKS = {"Gather", "Slice"}
# The operators that networks end with where they give logits.
_LINEAR = {"Add", "Concat", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "Mul", "ReduceMean", "Sub", "Sum"}
Ending = Literal["logits", "sigmoid", "softmax", "softmax of logits", "probabilities"]


@dataclass(frozen=True)
class Head:
    """How a graph ends: the kind, and the operators that make probabilities of logits, where it has any."""

    ending: Ending
    nodes: tuple[NodeProto, ...] = ()

    @property
    def remark(self) -> str:
        """What becomes of it, as a sentence for people."""
        return _REMARKS[self.ending]


_REMARKS: dict[Ending, str] = {
    "logits": "The output was taken as logits: their sigmoid is shown as the probability.",
    "sigmoid": "The final sigmoid was removed: the bundle's graph gives logits, and the page applies the sigmoid.",
    "softmax": "The final softmax was replaced by logits of each finding against all others, of the same probability.",
    "softmax of logits": "The output was taken as what a softmax is applied to: logits of each finding against all "
    "others were made of it, whose sigmoid is the softmax's probability.",
    "probabilities": "The output was taken as probabilities, and log(p / (1 - p)) was added: those nearer to 0 or 1 "
    f"than {CLOSEST:g} are taken as {CLOSEST:g} from it, and have no gradient.",
}


def find_head(model: ModelProto, kind: OutputKind | None) -> Head:
    """Return how a model with one output [N, labels] ends; `kind` is what its user says it gives, None for nothing.

    Raises SettingsError where both contradict each other, or where neither tells.
    """
    name = model.graph.output[0].name
    end = _behind(model, name, _ARRANGES | _PICKS)
    operator = end.op_type if end is not None else "its input"
    sigmoids = _sigmoids(model, name)
    if kind == "logits":
        return Head("logits")
    if sigmoids and kind != "softmax":
        return Head("sigmoid", sigmoids)
    if end is not None and _is_softmax_of_all(model, end, name):
        return Head("softmax", (end,))
    if kind == "softmax" and (sigmoids or labels_of_output(model) < 2):
        raise SettingsError(
            f'output is "softmax", but the model ends with {operator} and has {labels_of_output(model)} output(s). '
            'Say output = "probabilities", or leave it out.'
        )
    if kind == "softmax" and operator in _LINEAR:
        return Head("softmax of logits")
    if kind in ("softmax", "probabilities") or operator == "Softmax":
        return Head("probabilities")
    if operator not in _LINEAR:
        raise SettingsError(
            f"The model ends with {operator}, which does not tell what it gives. Say it: "
            'output = "logits", "probabilities" or "softmax".'
        )
    return Head("logits")


def _behind(model: ModelProto, name: str, passed: set[str]) -> NodeProto | None:
    """Return the node that makes the values of a tensor, behind those operators that do not change values."""
    node = producer(model, name)
    while node is not None and node.op_type in passed:
        node = producer(model, node.input[0])
    return node


def _is_softmax_of_all(model: ModelProto, end: NodeProto, name: str) -> bool:
    """Whether a node is a softmax over all findings of the output, with nothing but a new arrangement after it."""
    if end.op_type not in ("Softmax", "LogSoftmax") or _behind(model, name, _ARRANGES) is not end:
        return False
    sizes = shapes_of(model).sizes.get(end.input[0])
    return sizes is not None and 1 < labels_of_output(model) == sizes[attribute(end, "axis", -1)]


def _sigmoids(model: ModelProto, name: str) -> tuple[NodeProto, ...]:
    """Return the sigmoids that make all values of a tensor, also where those of several branches are joined."""
    node = _behind(model, name, _ARRANGES | _PICKS)
    if node is None:
        return ()
    if node.op_type == "Sigmoid":
        return (node,)
    branches = [_sigmoids(model, entry) for entry in node.input] if node.op_type == "Concat" else [()]
    return tuple(each for branch in branches for each in branch) if all(branches) else ()


def as_logits(model: ModelProto, kind: OutputKind | None) -> ModelProto:
    """Return the model with an output of the same name whose sigmoid is the probability; see `find_head`.

    Precondition: one output of the shape [N, labels], which is stated; weights may lie in external files. The model
    that is given stays as it is. Raises SettingsError where it is not known what the output is.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    head = find_head(copy, kind)
    name = copy.graph.output[0].name
    for node in head.nodes:
        bypass(copy, node)
    if head.ending in ("softmax", "softmax of logits"):
        before = _take_over(copy, name)
        _against_the_rest(copy, before, name)
    elif head.ending == "probabilities":
        before = _take_over(copy, name)
        _log_odds(copy, before, name)
    drop_unused(copy)
    name_nodes(copy)
    return copy


def bypass(model: ModelProto, node: NodeProto) -> None:
    """Let the only output, and what leads to it, read what a final operator of `find_head` reads."""
    name, source = model.graph.output[0].name, node.input[0]
    if node.output[0] == name:
        model.graph.node.remove(node)
        model.graph.node.append(helper.make_node("Identity", [source], [name], name=name))
        _merge(model, name)
        return
    on_the_way = {name}
    for each in reversed(model.graph.node):
        if on_the_way.intersection(each.output) and each.op_type in _ARRANGES | _PICKS | {"Concat"}:
            each.input[:] = [source if entry == node.output[0] else entry for entry in each.input]
            on_the_way.update(each.input)


def _merge(model: ModelProto, name: str) -> None:
    """Remove a final Identity by giving its input the output's name, where an operator makes it."""
    last = model.graph.node[-1]
    source = last.input[0]
    if producer(model, source) is not None:
        model.graph.node.remove(last)
        rename(model, {source: name})


def _take_over(model: ModelProto, name: str) -> str:
    """Free the output's name for a node that is to be added; return what its value is called from now on."""
    inner = free_name(names_in(model), f"{name}_before")
    for node in nodes_of(model.graph):
        node.input[:] = [inner if entry == name else entry for entry in node.input]
        node.output[:] = [inner if entry == name else entry for entry in node.output]
    return inner


def _against_the_rest(model: ModelProto, scores: str, name: str) -> None:
    """Add zᵢ − log Σ_{j≠i} exp zⱼ, with the largest of the others subtracted before exp is taken.

    For two outputs it is z times a matrix, so that a linear layer stays one. Else row i of an array [labels, labels]
    has all z but the i-th, which is masked.
    """
    labels, taken, graph = labels_of_output(model), names_in(model), model.graph
    if labels == 2:
        difference = add_constant(model, np.array([[1, -1], [-1, 1]], np.float32), f"{name}_difference", taken)
        graph.node.append(helper.make_node("MatMul", [scores, difference], [name], name=name))
        return
    mask = add_constant(model, np.diag(np.full(labels, _MASKED, np.float32)), f"{name}_mask", taken)
    axis = add_constant(model, np.array([1], np.int64), f"{name}_row_axis", taken)
    last = add_constant(model, np.array([2], np.int64), f"{name}_last_axis", taken)
    rows, others, largest, away, powers, sums, logarithm, rest, level = (
        free_name(taken, f"{name}_{part}")
        for part in ("rows", "others", "largest", "away", "powers", "sums", "logarithm", "rest", "level")
    )
    graph.node.extend(
        helper.make_node(operator, inputs, [output], name=output)
        for operator, inputs, output in [
            ("Unsqueeze", [scores, axis], rows),
            ("Add", [rows, mask], others),
            ("ReduceMax", [others, last], largest),  # keeps the axis
            ("Sub", [others, largest], away),
            ("Exp", [away], powers),
            ("ReduceSum", [powers, last], sums),
            ("Log", [sums], logarithm),
            ("Add", [largest, logarithm], rest),
            ("Squeeze", [rest, last], level),
            ("Sub", [scores, level], name),
        ]
    )


def _log_odds(model: ModelProto, shares: str, name: str) -> None:
    """Add log p − log(1 − p), of p between CLOSEST and 1 - CLOSEST."""
    taken, graph = names_in(model), model.graph
    low = add_constant(model, np.array(CLOSEST, np.float32), f"{name}_low", taken)
    high = add_constant(model, np.array(1 - CLOSEST, np.float32), f"{name}_high", taken)
    one = add_constant(model, np.array(1, np.float32), f"{name}_one", taken)
    inside, against, first, second = (
        free_name(taken, f"{name}_{part}") for part in ("inside", "against", "for", "against_log")
    )
    graph.node.extend(
        helper.make_node(operator, inputs, [output], name=output)
        for operator, inputs, output in [
            ("Clip", [shares, low, high], inside),
            ("Sub", [one, inside], against),
            ("Log", [inside], first),
            ("Log", [against], second),
            ("Sub", [first, second], name),
        ]
    )
