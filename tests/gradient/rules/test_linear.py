"""Matrix products against torch: transposed, scaled, batched, broadcast, of vectors, and by subscripts."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, one_node, prove, run, values


@pytest.mark.parametrize("turned_a", [0, 1])
@pytest.mark.parametrize("turned_b", [0, 1])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (3, 1), (4,), (1,), ()])
def test_gemm(turned_a: int, turned_b: int, alpha: float, beta: float, shape: tuple[int, ...]) -> None:
    a = values(5, 3) if turned_a else values(3, 5)
    b = values(4, 5, seed=1) if turned_b else values(5, 4, seed=1)
    c = values(*shape, seed=2)
    model = one_node("Gemm", {"a": a, "b": b, "c": c}, transA=turned_a, transB=turned_b, alpha=alpha, beta=beta)

    def reference(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return alpha * (a.T if turned_a else a) @ (b.T if turned_b else b) + beta * c

    prove(model, {"a": a, "b": b, "c": c}, reference)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
def test_gemm_with_an_open_batch_and_weights_in_the_model(opset: int, batch: int) -> None:
    a, weights = values(batch, 5), {"b": values(4, 5, seed=1), "c": values(4, seed=2)}
    model = one_node("Gemm", {"a": a}, weights, transB=1, opset=opset, dynamic=True)
    prove(model, {"a": a}, lambda a, b, c: a @ b.T + c, wrt=["a", "b", "c"], constants=weights)


def test_gemm_without_a_third_matrix() -> None:
    a, b = values(3, 5), values(5, 2, seed=1)
    prove(one_node("Gemm", {"a": a, "b": b}, alpha=-2.0), {"a": a, "b": b}, lambda a, b: -2 * a @ b)


SHAPES = [
    ((3, 5), (5, 4)),
    ((2, 3, 5), (5, 4)),
    ((3, 5), (2, 5, 4)),
    ((2, 1, 3, 5), (4, 5, 2)),
    ((1, 3, 5), (2, 5, 4)),
    ((2, 3, 3, 5), (5, 2)),
    ((2, 2, 3, 5), (2, 2, 5, 3)),
    ((5,), (5, 4)),
    ((3, 5), (5,)),
    ((5,), (2, 5, 4)),
    ((2, 3, 5), (5,)),
    ((5,), (5,)),
    ((1, 1), (1, 1)),
]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = values(*left), values(*right, seed=1)
    prove(one_node("MatMul", {"a": a, "b": b}), {"a": a, "b": b}, lambda a, b: a @ b)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shape", [(2, 5), (4, 2, 5), ()])
def test_matmul_with_an_open_batch_and_weights_in_the_model(opset: int, batch: int, shape: tuple[int, ...]) -> None:
    a, weights = values(batch, *shape, 5), {"b": values(5, 4, seed=1)}
    model = one_node("MatMul", {"a": a}, weights, opset=opset, dynamic=True)
    prove(model, {"a": a}, lambda a, b: a @ b, wrt=["a", "b"], constants=weights)


@pytest.mark.parametrize("batch", [1, 3])
def test_matmul_of_two_open_batches(batch: int) -> None:
    a, b = values(batch, 2, 3, 5), values(batch, 1, 5, 4, seed=1)
    prove(one_node("MatMul", {"a": a, "b": b}, dynamic=True), {"a": a, "b": b}, lambda a, b: a @ b)


@pytest.mark.parametrize(("first", "second"), [(3, 3), (1, 3), (3, 1)])
def test_matmul_of_batches_that_go_by_different_names(first: int, second: int) -> None:
    a, b = values(first, 3, 5), values(second, 5, 4, seed=1)
    model = one_node("MatMul", {"a": a, "b": b}, dynamic=True)
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_param = "M"
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "K"
    prove(model, {"a": a, "b": b}, lambda a, b: a @ b)


def test_matmul_with_rows_and_columns_open() -> None:
    a, b = values(2, 3, 5), values(5, 4, seed=1)
    model = one_node("MatMul", {"a": a, "b": b})
    for value, names in ((model.graph.input[0], "NRK"), (model.graph.input[1], "KC"), (model.graph.output[0], "NRC")):
        for dim, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
            dim.dim_param = name
    prove(model, {"a": a, "b": b}, lambda a, b: a @ b)


@pytest.mark.parametrize("operator", ["Gemm", "MatMul"])
def test_double_precision(operator: str) -> None:
    a, b = values(3, 5).astype(np.float64), values(5, 4, seed=1).astype(np.float64)
    prove(one_node(operator, {"a": a, "b": b}), {"a": a, "b": b}, lambda a, b: a @ b)


@pytest.mark.parametrize("operator", ["Gemm", "MatMul"])
def test_half_precision_is_valid(operator: str) -> None:
    model = one_node(operator, {"a": values(3, 5).astype(np.float16), "b": values(5, 4).astype(np.float16)})
    for name in ("a", "b"):
        onnx.checker.check_model(gradient.compile(model, wrt=name), full_check=True)


def test_weights_get_one_product_for_all_images() -> None:
    """Otherwise there would be one matrix of weights' size for each image before they are added up."""
    model = one_node("MatMul", {"a": values(7, 3, 5)}, {"b": values(5, 4)})
    compiled = gradient.compile(model, wrt="b")
    inferred = onnx.shape_inference.infer_shapes(compiled, data_prop=True).graph
    sizes = [[dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in inferred.value_info]
    assert [7, 5, 4] not in sizes


EQUATIONS = [
    ("ij,jk->ik", (3, 4), (4, 2)),
    ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 2, 5)),
    ("nchw,oc->nohw", (2, 3, 2, 4), (5, 3)),
    ("ij,kj", (3, 4), (2, 4)),
    ("bi, bj -> bij", (2, 3), (2, 4)),
    ("i,i->", (4,), (4,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
]


@pytest.mark.parametrize(("equation", "left", "right"), EQUATIONS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_einsum(equation: str, left: tuple[int, ...], right: tuple[int, ...], dynamic: bool) -> None:
    a, b = values(*left), values(*right, seed=1)
    model = one_node("Einsum", {"a": a, "b": b}, dynamic=dynamic and left[0] == right[0], equation=equation)
    prove(model, {"a": a, "b": b}, lambda a, b: torch.einsum(equation, a, b))


def test_einsum_of_one_and_of_three() -> None:
    a, b, c = values(3, 4), values(4, 2, seed=1), values(3, seed=2)
    prove(one_node("Einsum", {"a": a}, equation="ij->ji"), {"a": a}, lambda a: a.T)
    prove(
        one_node("Einsum", {"a": a, "b": b, "c": c}, equation="ij,jk,i->k"),
        {"a": a, "b": b, "c": c},
        lambda a, b, c: torch.einsum("ij,jk,i->k", a, b, c),
    )


@pytest.mark.parametrize(
    ("equation", "shapes", "reason"),
    [
        ("ij,jk->k", ((3, 4), (4, 2)), "'i' is in one operand alone; sum over it with ReduceSum"),
        ("ii->i", ((3, 3),), "ellipses and diagonals .* MatMul and Transpose"),
        ("...i,...i->...", ((2, 3), (2, 3)), "ellipses and diagonals"),
        ("ij,j->ij", ((3, 4), (1,)), "'j' is broadcast; write it with Mul"),
    ],
)
def test_what_einsum_does_not_take(equation: str, shapes: tuple[tuple[int, ...], ...], reason: str) -> None:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip("ab", shapes, strict=False)
    ]
    node = helper.make_node("Einsum", list("ab"[: len(shapes)]), ["y"], name="the_product", equation=equation)
    rank = 2 if equation == "ij,j->ij" else 1
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)
    model = helper.make_model(helper.make_graph([node], "g", inputs, [y]), opset_imports=[helper.make_opsetid("", 18)])
    with pytest.raises(gradient.GradientError, match=rf"'the_product' \(Einsum\), attribute equation='.*{reason}"):
        gradient.compile(model, wrt="a")


def test_a_subscript_summed_in_the_other_operand_is_no_obstacle() -> None:
    a, b = values(3, 4), values(4, 2, seed=1)
    model = one_node("Einsum", {"a": a, "b": b}, equation="ij,jk->i")
    found: Any = run(gradient.compile(model, wrt="a"), {"a": a, "b": b, "seed": np.ones(3, np.float32)})["grad_a"]
    np.testing.assert_allclose(found, np.tile(b.sum(1), (3, 1)), rtol=1e-5)
