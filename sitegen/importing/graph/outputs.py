"""Outputs that a user names: of several heads some, side by side, or what is before a graph's own end."""

from collections.abc import Sequence

from onnx import ModelProto, TensorProto, helper

from sitegen.errors import SettingsError
from sitegen.importing.graph.passes import drop_unused, free_name, names_in

_TOLD = 8


def choose_outputs(model: ModelProto, wanted: Sequence[str]) -> None:
    """Make the tensors that are named the model's only output: the first's name, or all side by side in their order.

    Each has the batch as its first axis. Raises SettingsError where the graph has no such tensor.
    """
    graph = model.graph
    made = {name for node in graph.node for name in node.output if name}
    if missing := [name for name in wanted if name not in made]:
        listed = [value.name for value in graph.output]
        raise SettingsError(
            f"outputs names {', '.join(map(repr, missing))}, which the model does not make. Its outputs are "
            f"{', '.join(map(repr, listed[:_TOLD]))}."
        )
    types = {value.name: value for value in graph.output}
    if len(wanted) == 1:
        (name,) = wanted
        kept = types.get(name) or helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    else:
        taken, flat = names_in(model), []
        for name in wanted:
            flat.append(free_name(taken, f"{name}_flat"))
            graph.node.append(helper.make_node("Flatten", [name], [flat[-1]], name=flat[-1], axis=1))
        joined = free_name(taken, "chosen")
        graph.node.append(helper.make_node("Concat", flat, [joined], name=joined, axis=1))
        kept = helper.make_tensor_value_info(joined, TensorProto.FLOAT, None)
    copy = type(kept)()
    copy.CopyFrom(kept)
    del graph.output[:]
    graph.output.append(copy)
    drop_unused(model)
