"""Functions of one element: g times the derivative, written from the output y where that is shorter.

Formulas: x input, y output, g the gradient that arrives; [condition] is 1 where it holds, else 0.
"""

import math

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import sum_to, zeros_like
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, op

_SELU_ALPHA, _SELU_GAMMA = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, to float64


@pullback("Relu")
def relu(node: Node, g: Tensor) -> Tensor:
    """g·[y > 0]; guided: max(g, 0)·[y > 0]

    The mask comes from the output, so that engines can still fuse the forward Relu into what is before it. Where and
    Greater, because ONNX Runtime Web runs HardSigmoid, Relu and their like six times slower when it reuses their
    input's memory, which it does for the last reader of a tensor.
    """
    g = _guided(node, g)
    return op("Where", op("Greater", node.y, 0), g, 0)


def _guided(node: Node, g: Tensor) -> Tensor:
    """What a rectifier lets back: all, or, guided, what is positive"""
    return op("Max", g, 0) if node.guided else g


@pullback("LeakyRelu")
def leaky_relu(node: Node, g: Tensor) -> Tensor:
    """g where x > 0, else α·g"""
    return op("Where", op("Greater", node.x, 0), g, g * node.get("alpha", 0.01))


@pullback("PRelu")
def parametric_relu(node: Node, g: Tensor) -> list[Tensor]:
    """x: g where x > 0, else slope·g; slope: Σ g·x·[x < 0] over what was broadcast"""
    x, slope = node.x, node.input(1)
    to_slope = op("Where", op("Less", x, 0), g * x, 0)
    return [op("Where", op("Greater", x, 0), g, g * slope), sum_to(to_slope, slope, node.y)]


@pullback("ThresholdedRelu")
def thresholded_relu(node: Node, g: Tensor) -> Tensor:
    """g·[x > α]"""
    return op("Where", op("Greater", node.x, node.get("alpha", 1.0)), g, 0)


@pullback("Elu")
def elu(node: Node, g: Tensor) -> Tensor:
    """g where x > 0, else g·(y + α)"""
    return op("Where", op("Greater", node.x, 0), g, g * (node.y + node.get("alpha", 1.0)))


@pullback("Celu")
def celu(node: Node, g: Tensor) -> Tensor:
    """g where x > 0, else g·(y / α + 1)"""
    return op("Where", op("Greater", node.x, 0), g, g * (node.y / node.get("alpha", 1.0) + 1))


@pullback("Selu")
def selu(node: Node, g: Tensor) -> Tensor:
    """γ·g where x > 0, else g·(y + γ·α)"""
    alpha, gamma = node.get("alpha", _SELU_ALPHA), node.get("gamma", _SELU_GAMMA)
    return op("Where", op("Greater", node.x, 0), g * gamma, g * (node.y + alpha * gamma))


@pullback("Sigmoid")
def sigmoid(node: Node, g: Tensor) -> Tensor:
    """g·y·(1 − y)"""
    return g * (node.y * (1 - node.y))


@pullback("HardSigmoid")
def hard_sigmoid(node: Node, g: Tensor) -> Tensor:
    """α·g·[0 < y < 1]"""
    inside = op("And", op("Greater", node.y, 0), op("Less", node.y, 1))
    return op("Where", inside, g * node.get("alpha", 0.2), 0)


@pullback("HardSwish")
def hard_swish(node: Node, g: Tensor) -> Tensor:
    """0 where x <= −3, g where x >= 3, else g·(x / 3 + 1/2)"""
    rising = op("Where", op("GreaterOrEqual", node.x, 3), g, g * (node.x * (1 / 3) + 0.5))
    return op("Where", op("LessOrEqual", node.x, -3), 0, rising)


@pullback("Swish")
def swish(node: Node, g: Tensor) -> Tensor:
    """g·(s + α·y·(1 − s)) with s = sigmoid(α·x)"""
    alpha = node.get("alpha", 1.0)
    s = op("Sigmoid", node.x * alpha)
    slope: Tensor = s + node.y * (1 - s) * alpha
    return g * slope


@pullback("Mish")
def mish(node: Node, g: Tensor) -> Tensor:
    """g·(t + x·(1 − t²)·sigmoid(x)) with t = tanh(softplus(x))"""
    t = op("Tanh", op("Softplus", node.x))
    return g * (t + node.x * (1 - t * t) * op("Sigmoid", node.x))


@pullback("Tanh")
def tanh(node: Node, g: Tensor) -> Tensor:
    """g·(1 − y²)"""
    return g * (1 - node.y * node.y)


@pullback("Softplus")
def softplus(node: Node, g: Tensor) -> Tensor:
    """g·sigmoid(x)"""
    return g * op("Sigmoid", node.x)


@pullback("Softsign")
def softsign(node: Node, g: Tensor) -> Tensor:
    """g / (1 + |x|)²"""
    root = op("Abs", node.x) + 1
    return g / (root * root)


@pullback("Erf")
def erf(node: Node, g: Tensor) -> Tensor:
    """g·2/√π·exp(−x²)"""
    return g * (op("Exp", -(node.x * node.x)) * (2 / math.sqrt(math.pi)))


@pullback("Gelu")
def gelu(node: Node, g: Tensor) -> Tensor:
    """g·(Φ(x) + x·φ(x)), the normal distribution and its density; with approximate="tanh" that of the formula"""
    x = node.x
    if node.get("approximate", "none") == "tanh":
        return _gelu_tanh(x, g)
    distribution = (op("Erf", x * math.sqrt(1 / 2)) + 1) * 0.5
    density = op("Exp", x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (distribution + x * density)


def _gelu_tanh(x: Tensor, g: Tensor) -> Tensor:
    """y = x·(1 + t)/2 with t = tanh(c·(x + 0.044715·x³)), c = √(2/π) (Hendrycks and Gimpel 2016)"""
    c = math.sqrt(2 / math.pi)
    square = x * x
    t = op("Tanh", x * (square * (0.044715 * c) + c))
    inner = square * (3 * 0.044715 * c) + c
    return g * ((t + 1) * 0.5 + x * (1 - t * t) * inner * 0.5)


@pullback("Exp")
def exp(node: Node, g: Tensor) -> Tensor:
    """g·y"""
    return g * node.y


@pullback("Log")
def log(node: Node, g: Tensor) -> Tensor:
    """g / x"""
    return g / node.x


@pullback("Sqrt")
def sqrt(node: Node, g: Tensor) -> Tensor:
    """g / (2·y)"""
    return g / (node.y * 2)


@pullback("Reciprocal")
def reciprocal(node: Node, g: Tensor) -> Tensor:
    """−g·y²"""
    return -(g * (node.y * node.y))


@pullback("Abs")
def absolute(node: Node, g: Tensor) -> Tensor:
    """g·sign(x)"""
    return op("Where", op("Greater", node.x, 0), g, op("Where", op("Less", node.x, 0), -g, 0))


@pullback("Neg")
def negative(node: Node, g: Tensor) -> Tensor:
    """−g"""
    return -g


@pullback("Sin")
def sine(node: Node, g: Tensor) -> Tensor:
    """g·cos(x)"""
    return g * op("Cos", node.x)


@pullback("Cos")
def cosine(node: Node, g: Tensor) -> Tensor:
    """−g·sin(x)"""
    return -(g * op("Sin", node.x))


@pullback("Sign", "Floor", "Ceil", "Round")
def flat(node: Node, g: Tensor) -> Tensor:
    """0"""
    return zeros_like(node.x)


@pullback("Clip")
def clip(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: g·[low <= x <= high], or as Relu g·[0 < y < high] with low = 0; low: Σ g·[x < low], high: Σ g·[x > high]

    As Relu where the model fixes low at 0. Where low > high, high takes all.
    """
    rest, to_x = g, _guided(node, g) if node.rectifies else g
    to_low = to_high = None
    if node.has_input(2):
        high = node.input(2)
        above = op("Greater", op("Max", node.x, node.input(1)) if node.has_input(1) else node.x, high)
        to_high, rest = sum_to(op("Where", above, g, 0), high, node.y), op("Where", above, 0, g)
        below = op("Less", node.y, high) if node.rectifies else op("LessOrEqual", node.x, high)
        to_x = op("Where", below, to_x, 0)
    if node.has_input(1):
        low = node.input(1)
        to_low = sum_to(op("Where", op("Less", node.x, low), rest, 0), low, node.y)
        above = op("Greater", node.y, 0) if node.rectifies else op("GreaterOrEqual", node.x, low)
        to_x = op("Where", above, to_x, 0)
    return [to_x, to_low, to_high]


@pullback("Identity", "Dropout")
def identity(node: Node, g: Tensor) -> Tensor:
    """g; Dropout as in inference"""
    if node.operator == "Dropout" and node.has_input(2) and node.constant(2, "training_mode"):
        raise node.unsupported("it drops at random; export the model in evaluation mode", "training_mode")
    return g


@pullback("Cast")
def cast(node: Node, g: Tensor) -> Tensor:
    """g, in the type of x; between floating-point types"""
    return op("Cast", g, to=node.x.dtype)
