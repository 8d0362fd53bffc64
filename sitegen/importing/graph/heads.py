"""The end of a classifier: whatever it gives, as logits whose sigmoid is the model's own probability.

    sigmoid        σ(z)                     z
    softmax        exp zᵢ / Σⱼ exp zⱼ       zᵢ − log Σ_{j≠i} exp zⱼ, for two outputs zᵢ − zⱼ
    probabilities  p, however made          log p − log(1 − p)
    percentages    100 p                    the same, of p

The second line is exact: p/(1 − p) is exp zᵢ over the sum of the others.
"""

import numpy as np
from onnx import ModelProto, NodeProto, helper

from sitegen.importing.graph.ending import ARRANGES, CLOSEST, PICKS, Head, find_head
from sitegen.importing.graph.image import labels_of_output, producer
from sitegen.importing.graph.passes import add_constant, drop_unused, free_name, name_nodes, names_in, rename
from sitegen.importing.graph.reading import nodes_of
from sitegen.importing.settings import OutputKind

_MASKED = np.float32(-1e30)  # what no logit comes near; infinity would make NaN of differences


def as_logits(model: ModelProto, kind: OutputKind | Head | None) -> ModelProto:
    """Return the model with an output of the same name whose sigmoid is the probability; see `find_head`, which is
    asked where only a kind is given.

    Precondition: one output of the shape [N, labels], which is stated; weights may lie in external files. The model
    that is given stays as it is. Raises SettingsError where it is not known what the output is.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    head = kind if isinstance(kind, Head) else find_head(copy, kind)
    name = copy.graph.output[0].name
    for node in head.nodes:
        bypass(copy, node)
    if head.ending in ("softmax", "softmax of logits"):
        before = _take_over(copy, name)
        _against_the_rest(copy, before, name)
    elif head.ending in ("probabilities", "percentages"):
        before = _take_over(copy, name)
        _log_odds(copy, before, name, head.ending == "percentages")
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
        if on_the_way.intersection(each.output) and each.op_type in ARRANGES | PICKS | {"Concat"}:
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


def _log_odds(model: ModelProto, shares: str, name: str, hundred: bool) -> None:
    """Add log p − log(1 − p), of p between CLOSEST and 1 - CLOSEST, after a division by 100 where it is asked for."""
    taken, graph = names_in(model), model.graph
    if hundred:
        whole, of_one = (
            add_constant(model, np.array(100, np.float32), f"{name}_hundred", taken),
            free_name(taken, f"{name}_of_one"),
        )
        graph.node.append(helper.make_node("Div", [shares, whole], [of_one], name=of_one))
        shares = of_one
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
