"""`sitegen gradient`: from a model to one that gives its gradients too."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import onnx


def gradient(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The model.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.onnx", help="The file to write.")],
    wrt: Annotated[
        str | None,
        typer.Option(
            "--wrt",
            "--with-respect-to",
            metavar="NAME",
            help="Gradients with respect to this tensor; by default the only input.",
        ),
    ] = None,
    of: Annotated[
        str | None, typer.Option(metavar="NAME", help="Gradients of this tensor; by default the first output.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Give this tensor and its gradient, too. Repeatable.")
    ] = None,
    guided: Annotated[bool, typer.Option("--guided", help="Guided backpropagation.")] = False,
    switch: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Add a boolean input of this name; where it is false, gradients are skipped."
        ),
    ] = None,
) -> None:
    """Compile the gradients of an ONNX model into another ONNX model, which shares its external weights."""
    from sitegen.cli._progress import PlainConsole
    from sitegen.errors import GradientError
    from sitegen.gradient import compile as compile_gradient
    from sitegen.gradient.files import save

    if out.resolve() == model.resolve():
        raise GradientError(f"{out} is the model itself, which would be lost. Name another file.")
    compiled = compile_gradient(
        model, wrt=wrt or _only_input(model), of=of, also=also or (), guided=guided, switch=switch
    )
    copied = save(compiled, out, model)
    console = PlainConsole(soft_wrap=True)
    for line in (*_summary(compiled), *(f"copied   {path}" for path in copied)):
        console.print(line)
    console.print(
        f"written  {out}, {out.stat().st_size / 1e3:.0f} kB ({model.name}: {model.stat().st_size / 1e3:.0f} kB)"
    )


def _only_input(path: Path) -> str:
    from sitegen.errors import GradientError
    from sitegen.graphs.signature import read_signature

    inputs = list(read_signature(path).inputs)
    if len(inputs) != 1:
        raise GradientError(f"{path} has the inputs {inputs}. Name the one that is meant with --wrt.")
    return inputs[0]


def _summary(compiled: "onnx.ModelProto") -> list[str]:
    parts = (("input ", compiled.graph.input), ("output", compiled.graph.output))
    return [f"{part}   {value.name} {_shape(value)}" for part, values in parts for value in values]


def _shape(value: "onnx.ValueInfoProto") -> list[int | str]:
    return [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in value.type.tensor_type.shape.dim
    ]
