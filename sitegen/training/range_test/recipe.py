"""The learning-rate range test of a recipe: its images, network, loss and augmentation."""

from pathlib import Path

from torch import Generator, Tensor

from sitegen.settings.recipe import RecipeFile
from sitegen.training.augment import augment
from sitegen.training.losses import make_loss
from sitegen.training.prepare import new_network, prepare
from sitegen.training.range_test.curve import RangeCurve, RangeSettings, range_tests
from sitegen.training.range_test.picture import draw_range_curves, write_range_curves


def recipe_curves(file: RecipeFile, work: Path, place: Path | None = None, steps: int = 100) -> list[RangeCurve]:
    """Return a curve for each of the weight decays that Elkins et al. 2019 compare, by the recipe's first phase."""
    prepared = prepare(file, work, place)
    data, recipe = prepared.data, prepared.recipe
    network, loss = new_network(prepared), make_loss(recipe.loss, data.train.targets)

    def loss_of(indices: Tensor, generator: Generator) -> Tensor:
        images = augment(data.train.images[indices], recipe.augment, data.black, data.white, generator)
        value: Tensor = loss(network(images), data.train.targets[indices], data.train.weights[indices])
        return value

    settings = RangeSettings(steps=steps, batch=recipe.batch, seed=recipe.seed)
    return range_tests(network, len(data.train.images), loss_of, recipe.adam, settings)


def write_curves(curves: list[RangeCurve], picture: Path, numbers: Path | None = None) -> None:
    """Draw the curves as SVG, and write them as CSV or JSON where a file is named. Raises DataError where it cannot."""
    draw_range_curves(curves, picture)
    if numbers:
        write_range_curves(curves, numbers)
