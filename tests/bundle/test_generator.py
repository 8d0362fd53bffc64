"""What a bundle's generator must take and give, problem by problem."""

from typing import Any

import pytest

from sitegen.bundle.generator import GeneratorSettings, generator_problems
from sitegen.bundle.parts import Graph

SETTINGS = GeneratorSettings(weights="CC0", data="made up")


def fields(**changed: list[int] | None) -> dict[str, Any]:
    shapes: dict[str, list[int] | None] = {
        **{name: [1, 50] for name in ("parameters", "first", "second")},
        "jitter": [1, 4, 8],
        "rates": [1, 4],
    }
    shapes |= changed
    vectors = [{"name": name, "shape": shape, "colour": None} for name, shape in shapes.items() if shape]
    outputs = [
        {"name": role, "role": role, "shape": [1, 1, 8, 8] if role == "reconstruction" else None}
        for role in ("reconstruction", "distance", "latent", "parameters", "first", "second")
    ]
    image = {"name": "image", "shape": [1, 1, 8, 8], "range": [-1, 1]}
    return {"file": "generator.onnx", "inputs": [image, *vectors], "outputs": outputs}


def problems(given: dict[str, Any]) -> list[str]:
    return list(generator_problems({"generator": Graph.model_validate(given)}, SETTINGS))


def test_a_whole_one() -> None:
    assert problems(fields()) == []
    assert list(generator_problems({}, None)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rates": [1, 3]}, "rates must have the shape [1, 4], not [1, 3]"),
        ({"first": [1, 49]}, "must have one shape, [1, values]"),
        ({"jitter": [1, 8, 8]}, "jitter must be [1, layers, length] of the latents"),
        ({"jitter": None}, "must have the inputs parameters, first, second, jitter and rates"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], said: str) -> None:
    (problem,) = problems(fields(**changed))
    assert said in problem


def test_what_it_gives() -> None:
    given = fields()
    given["outputs"][0]["shape"] = [1, 1, 4, 4]
    del given["outputs"][1]
    assert [problem.split(" ", 1)[1] for problem in problems(given)] == [
        "has no output with the role 'distance'",
        "the reconstruction must have the image's shape, [1, 1, 8, 8], not [1, 1, 4, 4]",
    ]


def test_terms_and_graph_come_together() -> None:
    graph = {"generator": Graph.model_validate(fields())}
    assert "are there together or not at all" in next(generator_problems(graph, None))
    assert "are there together or not at all" in next(generator_problems({}, SETTINGS))
