"""From a forward graph to one that gives its gradients too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import onnx
from onnx import TensorProto, defs, helper, inliner

from sitegen.errors import GradientError
from sitegen.gradient.forward import UNINFERRED, Forward
from sitegen.gradient.node import Node
from sitegen.gradient.switch import switched
from sitegen.gradient.tensor import Tensor
from sitegen.gradient.walk import STANDARD, Walk, find_path, without_rule
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
    `grad_<tensor>`. A value that is an output of the model already is not given twice.

    `guided` lets only positive gradients through every Relu (guided backpropagation, Springenberg et al. 2015).

    With `switch`, the gradients are computed where that input is true and are tensors without elements where it is
    false.

    Initialisers are kept as they are, external ones with their location, offset and length, so that both models can
    share one file of weights; what is new lies in the graph. `model` is a model, unchanged by this, or the path of one.

    Raises GradientError: for names that the model does not have or has already, for opsets outside `OPSETS`, and for
    nodes on the way that have no gradient here; the message names node, operator and attribute.
    """
    loaded, folder = _load(model)
    _check_opset(loaded)
    of = of or loaded.graph.output[0].name
    targets = [wrt, *(name for name in also if name != wrt)]
    prepared, forward, path = _prepare(loaded, folder, of, targets)
    _check_names(forward, [of, *targets], [seed, *([switch] if switch else []), *map(gradient_name, targets)])
    if guided and not any(node.op_type == "Relu" for node in path):
        raise GradientError(f"guided changes nothing: there is no Relu between {wrt!r} and {of!r}. Leave it out.")
    writer = Writer(forward.names(), _opset(prepared))
    gradients = Walk(forward, writer, guided).run(path, of, seed, targets)
    _add_shapes(prepared.graph, forward)
    _add_inputs(prepared.graph, forward, of, seed, switch)
    _add_nodes(prepared.graph, forward, writer, dict(zip(targets, gradients, strict=True)), switch)
    return prepared


def gradient_name(tensor: str) -> str:
    """Return the name of the output that holds a tensor's gradient."""
    return f"grad_{tensor}"


def _load(model: onnx.ModelProto | str | PathLike[str]) -> tuple[onnx.ModelProto, Path | None]:
    if isinstance(model, onnx.ModelProto):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy, None
    path = Path(model)
    try:
        return onnx.load(str(path), load_external_data=False), path.parent
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


def _prepare(
    model: onnx.ModelProto, folder: Path | None, of: str, targets: Sequence[str]
) -> tuple[onnx.ModelProto, Forward, list[onnx.NodeProto]]:
    """Write out functions on the way that have no rule, until every node has one."""
    if model.functions:
        model = inliner.inline_local_functions(model)
    while True:
        forward = Forward(model, folder)
        for name in (of, *targets):
            if not forward.knows(name):
                raise GradientError(f"The model has no tensor {name!r}. It has {_list_names(model.graph)}.")
        path = find_path(forward, targets, of)
        missing = without_rule(path)
        if not missing:
            return model, forward, path
        kinds = {(node.domain, node.op_type) for node in missing if _is_function(node, _opset(model))}
        if not kinds:
            raise _no_rule(missing[0], forward)
        model = inliner.inline_selected_functions(model, sorted(kinds), inline_schema_functions=True)


def _is_function(node: onnx.NodeProto, opset: int) -> bool:
    if node.domain not in STANDARD or not defs.has(node.op_type, opset):
        return False
    schema = defs.get_schema(node.op_type, opset)
    return bool(getattr(schema, "has_function", False) or getattr(schema, "has_context_dependent_function", False))


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


def _add_shapes(graph: onnx.GraphProto, forward: Forward) -> None:
    """Say what onnx's own inference would miss, or its full check would refuse what comes after."""
    said = {value.name for value in (*graph.value_info, *graph.output)}
    outputs = (node.output[0] for node in graph.node if node.op_type in UNINFERRED)
    graph.value_info.extend(_value(forward, name, name) for name in outputs if name not in said)


def _add_inputs(graph: onnx.GraphProto, forward: Forward, of: str, seed: str, switch: str | None) -> None:
    graph.input.append(_value(forward, of, seed))
    if switch:
        graph.input.append(helper.make_tensor_value_info(switch, TensorProto.BOOL, []))


def _add_nodes(
    graph: onnx.GraphProto, forward: Forward, writer: Writer, gradients: dict[str, Tensor], switch: str | None
) -> None:
    nodes, constants = writer.needed(gradient.name for gradient in gradients.values())
    results = {target: _value(forward, target, gradient_name(target), sized=not switch) for target in gradients}
    ends = [(gradients[target].name, result) for target, result in results.items()]
    graph.initializer.extend(constants)
    if switch:
        graph.node.append(switched(switch, nodes, ends))
    else:
        graph.node.extend(nodes)
        graph.node.extend(helper.make_node("Identity", [end], [result.name], name=result.name) for end, result in ends)
    given = {entry.name for entry in graph.output}
    for position, (target, result) in enumerate(results.items()):
        if position > 0 and target not in given:
            graph.output.append(_value(forward, target, target))
        graph.output.append(result)


def _value(forward: Forward, like: str, name: str, *, sized: bool = True) -> onnx.ValueInfoProto:
    """Describe a tensor with the type and shape of another (its rank alone where not `sized`)."""
    shape = forward.shape(like)
    sizes = [size if sized and not str(size).startswith("?") else None for size in shape or ()]
    return helper.make_tensor_value_info(name, forward.dtype(like), sizes if shape is not None else None)
