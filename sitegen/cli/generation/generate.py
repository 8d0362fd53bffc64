"""`sitegen generate`: images of a trained generator."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import choice, require_training

NOISES = ("const", "random", "none")
MOST_IN_A_GRID = 4096


def generate(
    generator: Annotated[
        Path, typer.Option("--generator", metavar="FILE", help="What sitegen train generator wrote (.safetensors).")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR|PNG", help="The folder for the images; with --grid, its file.")
    ],
    seeds: Annotated[str | None, typer.Option(metavar="SEEDS", help="Seeds and ranges: 0-35,100.")] = None,
    latents: Annotated[
        Path | None, typer.Option(metavar="NPZ", help="Instead, the latents that sitegen project saved.")
    ] = None,
    psi: Annotated[
        float, typer.Option("--psi", min=-2, max=2, help="Truncation: 1 is none, 0 draws the mean image alone.")
    ] = 1.0,
    label: Annotated[
        int | None, typer.Option("--class", min=0, help="The class, of a generator that has some.")
    ] = None,
    noise: Annotated[
        str, choice("--noise", NOISES, "The noise of the weights, new noise of each seed, or none.")
    ] = "const",
    grid: Annotated[bool, typer.Option("--grid", help="Write one picture with all of them.")] = False,
    columns: Annotated[int | None, typer.Option(min=1, help="Of the grid; as many as rows by default.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images that are drawn at once.")] = 16,
    device: Annotated[str, typer.Option(help="Where PyTorch computes: cpu, cuda.")] = "cpu",
) -> None:
    """Draw images with a generator. The same seed gives the same image."""
    require_training()
    from sitegen.errors import SettingsError
    from sitegen.generation.draw import Draw, drawn_of_latents, drawn_of_seeds
    from sitegen.generation.pictures import write_each, write_grid
    from sitegen.generation.seeds import read_seeds
    from sitegen.networks.stylegan2.trained import load_generator

    if (seeds is None) == (latents is None):
        raise typer.BadParameter("Name either --seeds or --latents.")
    how = Draw(psi, label, noise, batch, device)
    ranges = read_seeds(seeds) if seeds else []
    if grid and (many := sum(map(len, ranges))) > MOST_IN_A_GRID:
        raise SettingsError(f"A grid holds {MOST_IN_A_GRID} images at most, not {many}. Leave --grid out.")
    trained = load_generator(generator)
    images = drawn_of_latents(trained, latents, how) if latents else drawn_of_seeds(trained, ranges, how)
    count = write_grid(images, out, columns) if grid else write_each(images, out)
    typer.echo(f"Wrote {count} images to {out}. They show nobody. Not for diagnostic use.")
