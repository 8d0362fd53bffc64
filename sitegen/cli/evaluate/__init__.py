"""`sitegen evaluate`: what a model achieves on labelled images, and how sure that is."""

import typer

from sitegen.cli.evaluate.adversarial import adversarial
from sitegen.cli.evaluate.anomaly import anomaly
from sitegen.cli.evaluate.classifier import classifier
from sitegen.cli.evaluate.effects import effects
from sitegen.cli.evaluate.explanations import explanations
from sitegen.cli.evaluate.frechet import frechet
from sitegen.cli.evaluate.gate import gate
from sitegen.cli.evaluate.localisation import localisation
from sitegen.cli.evaluate.permutation import permutation
from sitegen.cli.evaluate.reconstructions import reconstructions
from sitegen.cli.evaluate.robustness import robustness

evaluate = typer.Typer(
    help="Measure models on labelled images. Not for diagnostic use.", no_args_is_help=True, rich_markup_mode=None
)
of_models = (robustness, gate, explanations, effects, adversarial, classifier)
of_reconstructions = (reconstructions, anomaly, localisation, permutation, frechet)
for verb in (*of_models, *of_reconstructions):
    evaluate.command()(verb)
