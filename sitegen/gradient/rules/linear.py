"""Matrix products."""

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import reshape_like, sum_to
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Shape, Tensor, ints, op


@pullback("Gemm")
def gemm(node: Node, g: Tensor) -> list[Tensor | None]:
    """y = α·A·B + β·C: A: α·g·Bᵀ; B: α·Aᵀ·g; C: β·g, summed where it was broadcast"""
    a, b = node.input(0), node.input(1)
    turned_a, turned_b = node.get("transA", 0), node.get("transB", 0)
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    to_a = _product(b, g, turned_b, 1, alpha) if turned_a else _product(g, b, 0, 1 - turned_b, alpha)
    to_b = _product(g, a, 1, turned_a, alpha) if turned_b else _product(a, g, 1 - turned_a, 0, alpha)
    to_c = None
    if node.has_input(2):
        to_c = sum_to(g if beta == 1 else g * beta, node.input(2), node.y)
    return [to_a, to_b, to_c]


def _product(a: Tensor, b: Tensor, turned_a: int, turned_b: int, factor: float) -> Tensor:
    return op("Gemm", a, b, alpha=factor, transA=turned_a, transB=turned_b)


@pullback("MatMul")
def matmul(node: Node, g: Tensor) -> list[Tensor | None]:
    """A: g·Bᵀ; B: Aᵀ·g; each summed over the batch dimensions along which it was broadcast"""
    a, b = node.input(0), node.input(1)
    left, right = _as_matrix(a, 0), _as_matrix(b, 1)
    batch = node.y.dims[: max(left.rank, right.rank) - 2]
    for tensor, axis in ((b, -1), (a, -2)):
        if tensor.rank == 1:  # the output lacks its dimension; for two vectors it is a number, which gets both
            g = op("Unsqueeze", g, ints(-1 if a.rank == 1 and b.rank == 1 else axis))
    g = g.shaped((*batch, left.dims[-2], right.dims[-1]))
    to_a = op("MatMul", g, _turned(right)).shaped((*batch, *left.dims[-2:]))
    return [
        reshape_like(sum_to(to_a, left, to_a), a),
        reshape_like(_to_right(left, right, g, batch), b),
    ]


def _to_right(left: Tensor, right: Tensor, g: Tensor, batch: Shape) -> Tensor:
    """Aᵀ·g; where B has no batch, all batches are rows of one product, rather than many that are added up."""
    rows, columns = right.dims[-2:]
    if right.rank == 2 and left.rank > 2 and isinstance(rows, int) and isinstance(columns, int):
        left, g = op("Reshape", left, ints(-1, rows)), op("Reshape", g, ints(-1, columns))
        return op("MatMul", op("Transpose", left, perm=[1, 0]), g).shaped(right.shape)
    result = op("MatMul", _turned(left), g).shaped((*batch, *right.dims[-2:]))
    return sum_to(result, right, result)


def _as_matrix(t: Tensor, axis: int) -> Tensor:
    """Return a vector with a dimension of size 1 at `axis`, anything else as it is."""
    if t.rank > 1:
        return t
    return op("Unsqueeze", t, ints(axis)).shaped((1, *t.dims) if axis == 0 else (*t.dims, 1))


def _turned(t: Tensor) -> Tensor:
    """Return a tensor with its last two dimensions swapped."""
    order = [*range(t.rank - 2), t.rank - 1, t.rank - 2]
    return op("Transpose", t, perm=order)


@pullback("Einsum")
def einsum(node: Node, g: Tensor) -> list[Tensor | None]:
    """each operand: the Einsum of g and the other operands, with its subscripts as the result's"""
    operands, result = _subscripts(node)
    tensors = [node.input(index) for index in range(len(operands))]
    gradients: list[Tensor | None] = []
    for index, (wanted, tensor) in enumerate(zip(operands, tensors, strict=True)):
        others = [number for number in range(len(operands)) if number != index]
        terms = [result, *(operands[number] for number in others)]
        if alone := set(wanted) - set("".join(terms)):
            if not node.wants(index):
                gradients.append(None)
                continue
            raise node.unsupported(
                f"the subscript {min(alone)!r} is in one operand alone; sum over it with ReduceSum before", "equation"
            )
        equation = f"{','.join(terms)}->{wanted}"
        factors = [tensors[number] for number in others]
        gradients.append(op("Einsum", g, *factors, equation=equation).shaped(tensor.shape))
    return gradients


def _subscripts(node: Node) -> tuple[list[str], str]:
    """The subscripts of each operand, and of the result: explicit or, as of the definition, those that occur once."""
    left, arrow, result = node.get("equation").replace(" ", "").partition("->")
    operands = left.split(",")
    if "." in left or any(len(set(operand)) < len(operand) for operand in operands):
        raise node.unsupported("ellipses and diagonals have no rule; write it with MatMul and Transpose", "equation")
    letters = left.replace(",", "")
    if not arrow:
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    for index, operand in enumerate(operands):
        for letter, size in zip(operand, node.input(index).dims, strict=True):
            known = {t.dims[o.index(letter)] for o, t in zip(operands, node.inputs, strict=True) if t and letter in o}
            if size == 1 and known != {1}:
                raise node.unsupported(f"the subscript {letter!r} is broadcast; write it with Mul", "equation")
    return operands, result
