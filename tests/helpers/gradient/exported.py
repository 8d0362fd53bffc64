"""The networks as ONNX models in memory, each exported once in a test session, and their gradients."""

from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from sitegen import gradient
from sitegen.export.onnx_export import _quiet
from sitegen.graphs.files import strip_traces
from tests.helpers.gradient.networks_table import FEATURES, INPUT, NETWORKS, make

OPSETS = (18, 25)
"""The oldest and the newest that torch writes by itself."""

Array = np.ndarray[Any, Any]


@cache
def network(name: str, kind: torch.dtype = torch.float32) -> nn.Module:
    """The network of that name, in single or in double precision, with the same weights."""
    return make(name) if kind == torch.float32 else deepcopy(network(name)).to(kind)


@cache
def exported(name: str, *, opset: int = OPSETS[0], dynamic: bool = False) -> onnx.ModelProto:
    """The network of that name, with a fixed or an open batch. Its feature map is a tensor within, not an output.

    Callers share the model and must not change it.
    """
    entry = NETWORKS[name]
    example = entry.images(0, batch=2 if dynamic else None)  # a batch of 1 would be taken for a constant
    with _quiet():
        program = torch.onnx.export(
            network(name),
            (example,),
            input_names=[INPUT],
            output_names=[*entry.outputs, FEATURES],
            opset_version=opset,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},) if dynamic else None,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    strip_traces(model)
    # The exporter writes another opset than asked for, without a word, where it cannot convert.
    assert [entry.version for entry in model.opset_import if not entry.domain] == [opset]
    assert model.graph.output[-1].name == FEATURES
    del model.graph.output[-1]
    onnx.checker.check_model(model, full_check=True)
    return model


@cache
def compiled(name: str, *, opset: int = OPSETS[0], dynamic: bool = False, guided: bool = False) -> onnx.ModelProto:
    """The exported network with the gradients of its scored output at its input and at its feature map."""
    model = exported(name, opset=opset, dynamic=dynamic)
    return gradient.compile(model, wrt=INPUT, of=NETWORKS[name].of, also=[FEATURES], guided=guided)
