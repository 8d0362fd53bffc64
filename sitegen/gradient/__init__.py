"""A reverse-mode compiler over ONNX: from a model to one that gives its gradients too, in standard operators.

    import onnx
    from sitegen import gradient

    model = gradient.compile("classifier.onnx", wrt="image")
    onnx.save(model, "gradient.onnx")

It needs onnx and NumPy alone. compiler.py is the way in; walk.py goes through the nodes, last to first; rules/ holds
one short function for each operator, in one table.
"""

from sitegen.errors import GradientError
from sitegen.gradient.assembly import gradient_name
from sitegen.gradient.compiler import OPSETS, compile, has_rectifier

__all__ = ["OPSETS", "GradientError", "compile", "gradient_name", "has_rectifier"]
