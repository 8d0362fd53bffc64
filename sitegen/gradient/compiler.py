"""From a forward graph to one that gives its gradients too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import onnx
from onnx import inliner

from sitegen.errors import GradientError
from sitegen.gradient.assembly import Backward, add_inputs, add_nodes, add_shapes, gradient_name
from sitegen.gradient.forward import Forward
from sitegen.gradient.functions import STANDARD, is_function, written_out
from sitegen.gradient.node import Node
from sitegen.gradient.rectifiers import is_rectifier
from sitegen.gradient.walk import Walk, find_path, without_rule
from sitegen.gradient.writer import Writer

OPSETS = range(17, 27)
"""Versions of the standard operators that are understood, and that ONNX Runtime Web takes."""


def compile(
    model: onnx.ModelProto | str | PathLike[str],
    *,
    wrt: str,
    of: str | None = None,
    seed: str = "seed",
    also: Sequence[str] = (),
    guided: bool = False,
    switch: str | None = None,
) -> onnx.ModelProto:
    """Return a model that computes what `model` does, and the gradient of one of its outputs.

    Inputs: those of `model`; `seed`, of the type and shape of the tensor `of` (the first output by default); with
    `switch`, a boolean scalar of that name.

    Outputs, in order: those of `model`; `grad_<wrt>` = d<of, seed>/d(wrt), where <a, b> is the sum of products, in the
    shape of `wrt` (an input, an initialiser, or any tensor in between); and for each tensor of `also` its value and
    `grad_<tensor>`. A value that is an output of the model already is not given twice. Where `also` names `wrt` itself,
    its value comes before `grad_<wrt>`, unless it is an input: so a tensor in between can be had with its gradient, and
    nothing further back.

    `guided` lets only positive gradients through every rectifier (guided backpropagation, Springenberg et al. 2015):
    every Relu, and every Clip from a fixed 0, such as ReLU6.

    With `switch`, the gradients are computed where that input is true and are tensors without elements where it is
    false.

    Initialisers are kept as they are, external ones with their location, offset and length, so that both models can
    share one file of weights; what is new lies in the graph. `model` is a model, unchanged by this, or the path of one.

    Raises GradientError: for names that the model does not have or has already, for opsets outside `OPSETS`, and for
    nodes on the way that have no gradient here; the message names node, operator and attribute.
    """
    result, folder = _load(model)
    _check_opset(result)
    of = of or result.graph.output[0].name
    targets = [wrt, *(name for name in also if name != wrt)]
    forward, path = _understood(result, folder, of, targets)
    _check_names(forward, [of, *targets], [seed, *([switch] if switch else []), *map(gradient_name, targets)])
    if guided and not any(is_rectifier(node, forward) for node in path):
        raise GradientError(
            f"guided changes nothing: there is no Relu, and no Clip from 0, between {wrt!r} and {of!r}. Leave it out."
        )
    writer = Writer(forward.names(), _opset(result))
    gradients = Walk(forward, writer, guided).run(path, of, seed, targets)
    add_shapes(result.graph, forward)
    add_inputs(result.graph, forward, of, seed, switch)
    valued = {name for name in also if name != wrt or name in forward.makers}  # whoever feeds an input knows its value
    add_nodes(result.graph, forward, Backward(writer, dict(zip(targets, gradients, strict=True)), valued), switch)
    return result


def has_rectifier(model: onnx.ModelProto | str | PathLike[str], *, wrt: str, of: str | None = None) -> bool:
    """Whether `compile` takes `guided` for these tensors: whether there is a rectifier between them.

    Raises GradientError, as `compile` does.
    """
    copy, folder = _load(model)
    _check_opset(copy)
    of = of or copy.graph.output[0].name
    forward, path = _understood(copy, folder, of, [wrt])
    return any(is_rectifier(node, forward) for node in path)


def _load(model: onnx.ModelProto | str | PathLike[str]) -> tuple[onnx.ModelProto, Path | None]:
    """Return a copy of the model without functions of its own, and the folder that it was read from."""
    if isinstance(model, onnx.ModelProto):
        copy, folder = onnx.ModelProto(), None
        copy.CopyFrom(model)
    else:
        copy, folder = _read(Path(model)), Path(model).parent
    return inliner.inline_local_functions(copy) if copy.functions else copy, folder


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's own exceptions differ between its implementations
        raise GradientError(f"{path} is not a readable ONNX file ({type(error).__name__}). Export it again.") from error


def _opset(model: onnx.ModelProto) -> int:
    return next((entry.version for entry in model.opset_import if entry.domain in STANDARD), 0)


def _check_opset(model: onnx.ModelProto) -> None:
    version = _opset(model)
    if version not in OPSETS:
        raise GradientError(
            f"The model uses opset {version}; {OPSETS[0]} to {OPSETS[-1]} are supported. "
            "Export it with one of those, or use onnx.version_converter."
        )


def _understood(
    model: onnx.ModelProto, folder: Path | None, of: str, targets: Sequence[str]
) -> tuple[Forward, list[onnx.NodeProto]]:
    """Return the graph with functions on the way written out until every node has a rule, and those nodes."""
    while True:
        forward = Forward(model, folder)
        for name in (of, *targets):
            if not forward.knows(name):
                raise GradientError(f"The model has no tensor {name!r}. It has {_list_names(model.graph)}.")
        path = find_path(forward, targets, of)
        missing = without_rule(path)
        if not missing:
            return forward, path
        kinds = {(node.domain, node.op_type) for node in missing if is_function(node, _opset(model))}
        if not kinds:
            raise _no_rule(missing[0], forward)
        model = written_out(model, kinds)


def _no_rule(node: onnx.NodeProto, forward: Forward) -> GradientError:
    if node.domain not in STANDARD:
        reason = f"it belongs to the domain {node.domain!r}; export the model with standard operators only"
    elif any(entry.g.node or entry.graphs for entry in node.attribute):
        reason = "control flow is not supported; export the model without it (trace it, or fix its conditions)"
    else:
        reason = (
            "there is no rule for this operator; write the model with others, or add a rule (sitegen/gradient/rules)"
        )
    return Node(node, forward, Writer((), 0)).unsupported(reason)


def _list_names(graph: onnx.GraphProto) -> str:
    inputs = ", ".join(repr(value.name) for value in graph.input)
    outputs = ", ".join(repr(value.name) for value in graph.output)
    return f"the inputs {inputs}, the outputs {outputs}, and those between them"


def _check_names(forward: Forward, read: Iterable[str], new: Sequence[str]) -> None:
    for name in read:
        if not forward.differentiable(name):
            raise GradientError(
                f"{name!r} does not hold floating-point numbers: it has no gradient. Name another tensor."
            )
    for name in new:
        if forward.knows(name) or new.count(name) > 1:
            raise GradientError(f"The name {name!r} is taken. Choose another, or rename the tensor in the model.")
