import pytest

from sitegen.errors import SettingsError
from sitegen.gate.training.presets import (
    CHESTER_LATENTS,
    CHESTER_RATES,
    GATE_PRESETS,
    AdversarialSettings,
    read_gate_recipe,
)


def test_the_papers_settings_are_a_preset() -> None:
    recipe = GATE_PRESETS["chester"]
    assert recipe.network.side == 64
    assert (recipe.steps, recipe.batch, recipe.validation) == (2_121_000, 100, 1000)
    assert recipe.betas == (0.5, 1e-3)
    assert isinstance(recipe.objective, AdversarialSettings)
    assert recipe.objective.true_labels == (0.7, 1.1)
    assert recipe.objective.false_labels == (-0.1, 0.3)
    assert recipe.objective.halt_below > 0


def test_the_papers_search_is_eight_pairs_with_the_second_beta_as_printed_and_as_meant() -> None:
    assert (CHESTER_LATENTS, CHESTER_RATES) == ((64, 128, 256, 512), (1e-6, 1e-5))
    found = {name: recipe for name, recipe in GATE_PRESETS.items() if name.startswith("chester-")}
    assert {(r.network.latent, r.learning_rate, r.betas[1]) for r in found.values()} == {
        (latent, rate, beta) for latent in CHESTER_LATENTS for rate in CHESTER_RATES for beta in (1e-3, 0.999)
    }
    assert found["chester-256-1e-6"].betas == (0.5, 1e-3)
    assert found["chester-256-1e-6-likely"].betas == (0.5, 0.999)


def test_every_kind_of_network_has_a_preset() -> None:
    assert {recipe.network.name for recipe in GATE_PRESETS.values()} == {"autoencoder", "variational", "ali"}


def test_a_file_changes_what_it_names() -> None:
    recipe = read_gate_recipe({"preset": "ali", "steps": 7, "network": {"latent": 9}, "objective": {"cycle": 0.5}})
    assert (recipe.steps, recipe.network.latent, recipe.network.name) == (7, 9, "ali")
    assert isinstance(recipe.objective, AdversarialSettings)
    assert recipe.objective.cycle == 0.5
    assert recipe.objective.true_labels == (0.7, 1.1)
    assert read_gate_recipe({}) == GATE_PRESETS["autoencoder"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"preset": "gan"}, "no gate preset 'gan'; there are autoencoder, squared, variational, ali, chester"),
        ({"network": {"latent": 0}}, "network.latent"),
        ({"network": {"name": "ali"}}, "'ali' and its objective of the kind 'autoencoder'"),
        ({"network": {"channels": 3}}, "one grey channel"),
        ({"batch": 1}, "batch"),
        ({"rate": 1}, "rate"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    document: dict[str, str | int | dict[str, int | str]], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read_gate_recipe(document)
