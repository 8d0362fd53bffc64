"""How a gate's network is trained, as typed settings; the settings of two papers, and our own for small machines.

    GATE_PRESETS["autoencoder"]                                    a recipe
    read_gate_recipe({"preset": "ali", "network": {"latent": 32}})  a recipe with changes, as a file gives them

"Cohen 2019" (section 3.1) and "Cohen 2020" (appendix C) are the papers on Chester. A number without a source is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.networks.reconstruction import ReconstructionSettings
from sitegen.settings.reading import STRICT, Count, read_settings
from sitegen.training.augment import AugmentSettings, placement

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Labels = tuple[float, float]  # drawn evenly between the two


@dataclass(frozen=True)
class PointSettings:
    """An autoencoder: `ssim_share` of the loss is 1 - SSIM (ours), the rest the squared error (the papers' L2).

    `blank_share` of each batch goes in as one even grey and is still asked for as a radiograph: an even grey is easy to
    copy, and a gate that copies it lets it pass.
    """

    __pydantic_config__ = STRICT
    kind: Literal["autoencoder"] = "autoencoder"
    ssim_share: Share = 0.0
    blank_share: Share = 0.0


@dataclass(frozen=True)
class VariationalSettings:
    """The evidence lower bound of Kingma and Welling 2014 (Eq. 10), pixels Gaussian with the deviation `sigma`.

    `beta` weighs the divergence from the standard Gaussian (Higgins et al. 2017); 1 is the bound itself.
    """

    __pydantic_config__ = STRICT
    kind: Literal["variational"] = "variational"
    beta: Positive = 1.0
    sigma: Positive = 0.1


@dataclass(frozen=True)
class AdversarialSettings:
    """Adversarially learned inference (Dumoulin et al. 2017): one game over pairs of image and latent.

    The generator, encoder and decoder together, is too good where the discriminator tells fewer than `halt_below` of a
    batch's pairs apart; it then halts for that step while the discriminator learns (0: never). Discriminator labels are
    smoothed: drawn from `true_labels` for pairs of a real image, from `false_labels` for drawn ones (Cohen 2020).
    `spectral_norm` keeps every layer of the discriminator at a Lipschitz constant of one (Miyato et al. 2018).
    `cycle` adds that share of the squared error of reconstructions to the generator's loss (as ALICE does, Li et al.
    2017); 0 is the papers' game.
    """

    __pydantic_config__ = STRICT
    kind: Literal["ali"] = "ali"
    true_labels: Labels = (0.7, 1.1)  # Cohen 2020, appendix C
    false_labels: Labels = (-0.1, 0.3)  # Cohen 2020, appendix C
    halt_below: Share = 0.6
    spectral_norm: bool = True
    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = (16, 32, 64, 64)
    hidden: Count = 256
    cycle: Annotated[float, Field(ge=0)] = 0.0


Objective = Annotated[PointSettings | VariationalSettings | AdversarialSettings, Field(discriminator="kind")]


@dataclass(frozen=True)
class GateRecipe:
    """All that decides how a gate's network is trained, apart from the data. Its image is grey, in 0..1."""

    __pydantic_config__ = STRICT
    network: ReconstructionSettings = field(default_factory=ReconstructionSettings)
    objective: Objective = field(default_factory=PointSettings)
    steps: Count = 3000
    batch: Annotated[int, Field(ge=2)] = 64
    learning_rate: Positive = 2e-3  # the peak, where there is a cycle
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    report_every: Count = 100  # steps of a round: figures, a checkpoint, a grid of samples
    validation: Count = 1000  # images at most that a round's figures are of; Cohen 2020, appendix C
    seed: Annotated[int, Field(ge=0)] = 1


_SMALL_CHANGES = AugmentSettings(rotation=4.0, shift=0.04, scale=0.08, brightness=0.06, contrast=0.2)
_COMPACT = ReconstructionSettings(latent=32, widths=(16, 32, 64, 96))

AUTOENCODER = GateRecipe(  # ours: for some ten thousand images on two cores of a laptop
    network=replace(_COMPACT, latent=16),  # the narrower, the less it can draw of what is no radiograph
    objective=PointSettings(ssim_share=0.5, blank_share=0.07),
    augment=_SMALL_CHANGES,
)
SQUARED = replace(AUTOENCODER, objective=PointSettings())  # the plain autoencoder of both papers, in our size
VARIATIONAL = replace(
    AUTOENCODER, network=replace(_COMPACT, name="variational"), objective=VariationalSettings(), learning_rate=1e-3
)
ALI = GateRecipe(  # ours: in under an hour on two cores
    network=replace(_COMPACT, name="ali"),
    objective=AdversarialSettings(),
    steps=8000,
    learning_rate=3e-4,
    schedule="constant",
    betas=(0.5, 0.999),
    weight_decay=0.0,
    augment=_SMALL_CHANGES,
    report_every=200,
)
CHESTER = GateRecipe(
    network=ReconstructionSettings("ali", side=64, latent=128, widths=(32, 64, 128, 256)),  # 64 x 64: Cohen 2020
    # The trick of the papers, halting, needs a bound that they do not give; they name no other stabiliser.
    objective=AdversarialSettings(spectral_norm=False, widths=(32, 64, 128, 256), hidden=512),
    steps=2_121_000,  # Cohen 2020, appendix C, as is all that follows
    batch=100,
    learning_rate=1e-5,
    schedule="constant",
    betas=(0.5, 1e-3),  # as printed; `chester-…-likely` has what is likely meant
    weight_decay=0.0,
    augment=placement(0, 0, 0),
    report_every=1000,
)
CHESTER_LATENTS, CHESTER_RATES = (64, 128, 256, 512), (1e-6, 1e-5)  # those tried in Cohen 2020, appendix C


def _chester_search() -> dict[str, GateRecipe]:
    """The papers' search: every latent size with every rate, with the second beta as printed and as likely meant."""
    found = {}
    for latent, rate, (suffix, beta) in product(CHESTER_LATENTS, CHESTER_RATES, (("", 1e-3), ("-likely", 0.999))):
        network = replace(CHESTER.network, latent=latent)
        found[f"chester-{latent}-{rate:.0e}{suffix}".replace("e-0", "e-")] = replace(
            CHESTER, network=network, learning_rate=rate, betas=(0.5, beta)
        )
    return found


GATE_PRESETS: dict[str, GateRecipe] = {
    "autoencoder": AUTOENCODER,
    "squared": SQUARED,
    "variational": VARIATIONAL,
    "ali": ALI,
    "chester": CHESTER,
    **_chester_search(),
}


def read_gate_recipe(document: Mapping[str, Any]) -> GateRecipe:
    """Return the recipe of `document["preset"]` ("autoencoder" by default) with the other keys as changes.

    Raises SettingsError where the preset is unknown, where keys or values do not fit, or where network and objective
    are of different kinds.
    """
    name = document.get("preset", "autoencoder")
    if name not in GATE_PRESETS:
        raise SettingsError(f"there is no gate preset {name!r}; there are {', '.join(GATE_PRESETS)}")
    changes = {key: value for key, value in document.items() if key != "preset"}
    recipe = read_settings(GateRecipe, changes, GATE_PRESETS[name])
    if recipe.network.name != recipe.objective.kind:
        raise SettingsError(
            f"the gate's network is of the kind {recipe.network.name!r} and its objective of the kind "
            f"{recipe.objective.kind!r}; name a preset of the kind you want"
        )
    if recipe.network.channels != 1:
        raise SettingsError(f"the gate sees one grey channel, and network.channels is {recipe.network.channels}")
    return recipe
