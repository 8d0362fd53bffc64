"""The one table of the gate's metrics: which way each points, what it needs, how it is computed, what is said of it.

Those of stage one need the gate's network alone, those of stage two the classifier's logits or features. Wording,
cards, recipes, bundles and the documentation read this table: a row is all that a new metric takes. The formulas stand
in `ssim`, `gaussian_ssim`, `reconstruction_scores` and `feature_scores`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import nan

from sitegen_runtime.bundle.gate import Gate
from sitegen_runtime.gate.feature_scores import energy, mahalanobis, max_logit, vim
from sitegen_runtime.gate.gaussian_ssim import gaussian_ssim
from sitegen_runtime.gate.reconstruction_scores import Planes, euclidean_norm, l1, l2
from sitegen_runtime.gate.scales import GAIN, NEGATED, PLAIN, PROBABILITY, Scale
from sitegen_runtime.gate.ssim import mean_ssim

ALIKE, UNLIKE = "alike", "unlike"
SSIM, COMBINED = "ssim", "combined"
STAGE_ONE, STAGE_TWO = 1, 2

Need = tuple[str, str]  # the role of a graph, and the role of one of its outputs


@dataclass(frozen=True)
class Evidence:
    """What formulas read of one image; what no metric has asked for is missing.

    `outputs` are those of networks, flat. `image` and `reconstruction` are planes of shares, of `side` x `side` cells
    (see `reconstruction_scores`). `variant` is the SSIM of the closest variant (see `variants`), `vim_alpha` a number
    of the gate's settings.
    """

    outputs: Mapping[Need, Sequence[float]] = field(default_factory=dict)
    image: Planes = field(default_factory=list)
    reconstruction: Planes = field(default_factory=list)
    side: int = 0
    variant: float = nan
    vim_alpha: float = nan

    @cached_property
    def ssim(self) -> float:
        """The SSIM of the image and its reconstruction, which takes its time and is needed twice."""
        return mean_ssim(self.image, self.reconstruction, self.side)


@dataclass(frozen=True)
class Metric:
    """A row: what a higher value means, the stage that computes it, what it needs, its formula, and its words.

    The combination has no formula, and the stage of its parts: `combination` makes it of their positions. `settings`
    are numbers that the gate must state; `variants` tells whether the image has to be tried turned and inverted.
    Of the words, `label` stands on the page, `refused` begins the sentence on a refusal, `card` stands on the card, and
    `value` in the documentation (Markdown); `scale` is how values are told. No word claims that the gate's images are
    those of the model's training: a gate may have been taken over from another model.
    """

    higher: str
    stage: int | None
    needs: tuple[Need, ...]
    formula: Callable[[Evidence], float] | None
    label: str
    refused: str
    card: str
    value: str
    settings: tuple[str, ...] = ()
    variants: bool = False
    scale: Scale = PLAIN


_RECONSTRUCTION, _LATENT = ("gate", "reconstruction"), ("gate", "latent")
_LOGITS, _FEATURES = ("classifier", "logits"), ("classifier", "features")
_WHITENED, _RESIDUAL = ("features", "whitened"), ("features", "residual")

METRICS: Mapping[str, Metric] = {
    SSIM: Metric(
        ALIKE,
        STAGE_ONE,
        (_RECONSTRUCTION,),
        lambda seen: seen.ssim,
        label="Similarity to its reconstruction (SSIM)",
        refused="This image is unlike the images that the gate knows",
        card="structural similarity of the image and its reconstruction",
        value="structural similarity to the reconstruction, a uniform 7 x 7 window (Wang et al. 2004)",
    ),
    "ssim-gaussian": Metric(
        ALIKE,
        STAGE_ONE,
        (_RECONSTRUCTION,),
        lambda seen: gaussian_ssim(seen.image, seen.reconstruction, seen.side),
        label="Similarity to its reconstruction (SSIM, Gaussian window)",
        refused="Its similarity to its reconstruction, in a Gaussian window, is too low",
        card="the same with a Gaussian window",
        value="the same in a Gaussian window of σ = 1.5, with the window's own covariances",
    ),
    "l1": Metric(
        UNLIKE,
        STAGE_ONE,
        (_RECONSTRUCTION,),
        lambda seen: l1(seen.image, seen.reconstruction),
        label="Mean error of its reconstruction (L1)",
        refused="Its reconstruction is too far off, on average",
        card="mean absolute error of the reconstruction",
        value="mean of |image − reconstruction|, as a share of the range",
    ),
    "l2": Metric(
        UNLIKE,
        STAGE_ONE,
        (_RECONSTRUCTION,),
        lambda seen: l2(seen.image, seen.reconstruction),
        label="Root of the mean squared error of its reconstruction (L2)",
        refused="Its reconstruction is too far off, large errors counted more",
        card="root of the mean squared error of the reconstruction",
        value="root of the mean squared difference, in the same unit",
    ),
    "latent": Metric(
        UNLIKE,
        STAGE_ONE,
        (_LATENT,),
        lambda seen: euclidean_norm(seen.outputs[_LATENT]),
        label="Distance of its code from the centre of all codes",
        refused="The gate's network describes it by a code far from those that it knows",
        card="distance of the latent from 0",
        value="Euclidean norm of the latent: its distance from 0",
    ),
    "turned": Metric(
        UNLIKE,
        STAGE_ONE,
        (_RECONSTRUCTION,),
        lambda seen: seen.variant - seen.ssim,
        label="What turning or inverting it would gain (SSIM)",
        refused="Turned or inverted it is rebuilt as well as it is, or better, as no image is that the gate knows",
        card="SSIM gained by turning or inverting the image",
        value="the SSIM of the image turned by 90, 180 or 270 degrees or inverted, with a reconstruction of its own, "
        "minus its SSIM as it is; of the four, the variant with the least squared error counts",
        variants=True,
        scale=GAIN,
    ),
    "mahalanobis": Metric(
        UNLIKE,
        STAGE_TWO,
        (_FEATURES, _WHITENED),
        lambda seen: mahalanobis(seen.outputs[_WHITENED]),
        label="Distance of its features from those of known images (Mahalanobis)",
        refused="What the classifier sees in it lies too far from what it sees in the training images",
        card="Mahalanobis distance of the classifier's features",
        value="Euclidean norm of the whitened pooled features (Lee et al. 2018, with one mean for all images)",
    ),
    "energy": Metric(
        UNLIKE,
        STAGE_TWO,
        (_LOGITS,),
        lambda seen: energy(seen.outputs[_LOGITS]),
        label="Energy of the classifier's answer, its sign turned",
        refused="The classifier's answers are unlike those for the training images: their energy is too high",
        card="energy of the logits",
        value="minus the sum over labels of log(1 + e^logit) (Wang et al. 2021, JointEnergy, with the sign of an "
        "energy)",
        scale=NEGATED,
    ),
    "max-logit": Metric(
        ALIKE,
        STAGE_TWO,
        (_LOGITS,),
        lambda seen: max_logit(seen.outputs[_LOGITS]),
        label="Largest probability that the classifier gives",
        refused="The classifier is too sure that there is nothing in it",
        card="the largest logit",
        value="the largest logit (Hendrycks et al. 2022)",
        scale=PROBABILITY,
    ),
    "vim": Metric(
        UNLIKE,
        STAGE_TWO,
        (_LOGITS, _FEATURES, _RESIDUAL),
        lambda seen: vim(seen.outputs[_RESIDUAL], seen.outputs[_LOGITS], seen.vim_alpha),
        label="Weight of what its features have beyond those of known images (ViM)",
        refused="The classifier sees too much in it that is in none of the training images",
        card="virtual-logit matching of the classifier's features",
        value="α · norm of the features' residual + `energy` (Wang et al. 2022; labels do not exclude each other, so "
        "the joint energy stands for their logsumexp)",
        settings=("vim_alpha",),
    ),
    COMBINED: Metric(
        UNLIKE,
        None,
        (),
        None,
        label="The measures taken together",
        refused="Its scores, taken together, are too unlike those of the images that the gate knows",
        card="a logistic function of the places among validation images",
        value="sigmoid(intercept + Σ weight · position)",
    ),
}


def measure(metrics: Iterable[str], seen: Evidence) -> dict[str, float]:
    """Return the raw values of metrics with a formula, of whatever stage."""
    formulas = ((metric, METRICS[metric].formula) for metric in metrics)
    return {metric: formula(seen) for metric, formula in formulas if formula}


def unlikeness(metric: str, value: float) -> float:
    """Return the value, turned so that higher is more unlike the training images."""
    return value if METRICS[metric].higher == UNLIKE else -value


def measured_metrics(gate: Gate) -> tuple[str, ...]:
    """Return the metrics whose formulas this gate asks for, the combination's parts included, in the table's order."""
    return with_formula((gate.metric, *(limit.metric for limit in gate.scores)), _parts(gate))


def with_formula(metrics: Iterable[str], parts: Iterable[str]) -> tuple[str, ...]:
    """Return metrics in the table's order, the combination's parts in its place where it is among them."""
    names = set(metrics)
    if COMBINED in names:
        names = names - {COMBINED} | set(parts)
    return tuple(metric for metric in METRICS if metric in names)


def of_stage(number: int, gate: Gate) -> tuple[str, ...]:
    """Return those of `measured_metrics` that a stage computes."""
    return tuple(metric for metric in measured_metrics(gate) if METRICS[metric].stage == number)


def stage(metric: str, gate: Gate) -> int:
    """Return the stage that gives a score of this gate: for the combination, the later stage of its parts."""
    stages = (METRICS[part].stage for part in with_formula((metric,), _parts(gate)))
    return max((number for number in stages if number), default=STAGE_ONE)


def needed(role: str, metrics: Iterable[str]) -> set[str]:
    """Return the outputs, by role, that metrics need of the graph of a role."""
    return {output for metric in metrics for graph, output in METRICS[metric].needs if graph == role}


def _parts(gate: Gate) -> Iterable[str]:
    return gate.combination.weights if gate.combination else ()
