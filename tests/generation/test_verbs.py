"""The verbs around a generator, as they are typed: what they write, what they refuse, how they go on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.bundle import Bundle
from sitegen.bundle.generator import GeneratorSettings
from sitegen.cli import app
from sitegen.errors import SettingsError
from sitegen.evaluation.reconstructions.table import read_table
from sitegen.generation.attach import tell_on_card
from tests.helpers.bundles import make_bundle
from tests.helpers.generation.generators import saved_generator


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words: str | Path) -> str:
    """The message of a command that cannot be carried out: `main` prints it, and exits with 2."""
    found = run(*words)
    assert isinstance(found.exception, SettingsError), found.output
    return str(found.exception)


def test_project_writes_all_and_goes_on(tmp_path: Path, drawn_images: Path) -> None:
    generator, out = saved_generator(tmp_path), tmp_path / "out"
    words = ("project", drawn_images, "--generator", generator, "-o", out, "--steps", "4", "--batch", "2")
    first = run(*words)
    assert first.exit_code == 1  # one image is of another shape
    assert "wide.png is 48 x 32 pixels, and the generator draws 32 x 32" in first.stderr
    assert "4 images, 1 of them not projected" in first.stdout
    names = [f"seed00000{seed}" for seed in range(3)]
    assert [row["image"] for row in read_table(out / "distances.csv")] == names
    for folder, ending in (("images", "png"), ("reconstructions", "png"), ("errors", "png"), ("latents", "npz")):
        assert sorted(path.name for path in (out / folder).iterdir()) == [f"{name}.{ending}" for name in names]
    image, made, error = (
        np.asarray(Image.open(out / folder / "seed000001.png")).astype(int)
        for folder in ("images", "reconstructions", "errors")
    )
    np.testing.assert_array_equal(image, np.asarray(Image.open(drawn_images / "seed000001.png")))
    np.testing.assert_array_equal(error, np.abs(image - made))
    # As if it had been killed before the last one: the others stay as they are.
    (out / "latents" / "seed000002.npz").unlink()
    kept = (out / "latents" / "seed000000.npz").stat().st_mtime_ns
    again = run(*words)
    assert "seed000000: there already" in again.stdout and "seed000002: mean squared error" in again.stdout
    assert (out / "latents" / "seed000000.npz").stat().st_mtime_ns == kept
    assert "steps 4 instead of 5" in refused(*words[:-4], "--steps", "5")


def test_latents_draw_the_reconstruction_again(tmp_path: Path, drawn_images: Path) -> None:
    generator, out = saved_generator(tmp_path), tmp_path / "out"
    run(
        "project", drawn_images / "seed000000.png", "--generator", generator, "-o", out, "--steps", "3", "--space", "w+"
    )
    latents = out / "latents" / "seed000000.npz"
    assert run("generate", "--generator", generator, "--latents", latents, "-o", tmp_path / "back").exit_code == 0
    drawn, made = tmp_path / "back" / "latent000000.png", out / "reconstructions" / "seed000000.png"
    np.testing.assert_array_equal(np.asarray(Image.open(drawn)), np.asarray(Image.open(made)))


def test_a_bundle_projects_as_its_generator_does(tmp_path: Path, drawn_images: Path, generating: Bundle) -> None:
    found = {}
    for name, generator in (("torch", saved_generator(tmp_path)), ("onnx", generating.folder)):
        out = tmp_path / name
        done = run("project", drawn_images / "seed000001.png", "--generator", generator, "-o", out, "--steps", "20")
        assert done.exit_code == 0, done.output
        assert json.loads((out / "projection.json").read_text())["engine"] == name
        found[name] = np.load(out / "latents" / "seed000001.npz")["distances"]
    np.testing.assert_allclose(found["onnx"], found["torch"], rtol=1e-2)


@pytest.mark.parametrize("steps", ["0", "-1", "20001"])
def test_a_number_of_steps_that_is_none(steps: str, tmp_path: Path, drawn_images: Path) -> None:
    said = refused("project", drawn_images, "--generator", tmp_path, "-o", tmp_path / "out", "--steps", steps)
    assert said == f"A projection takes 1 to 20000 steps, not {steps}."


def test_a_bundle_without_generator_says_what_it_has(tmp_path: Path, drawn_images: Path, generating: Bundle) -> None:
    plain = make_bundle(tmp_path / "plain").folder
    said = refused("project", drawn_images, "--generator", plain, "-o", tmp_path / "out")
    assert "has no generator; it has the networks classifier, gate." in said and "sitegen attach" in said
    said = refused(
        "project", drawn_images, "--generator", generating.folder, "-o", tmp_path / "out", "--engine", "torch"
    )
    assert "which PyTorch does not run" in said


def test_a_bundle_says_whose_its_generator_is(generating: Bundle) -> None:
    terms = generating.description.generator
    assert terms is not None and (terms.weights, terms.data) == ("CC0", "made up")
    card = generating.path("card.md").read_text("utf-8")
    assert "## The generator" in card and "- Weights: CC0" in card


def test_a_card_tells_of_the_last_generator_alone(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# A model\n\nText.\n\n## Last\n\nMore.\n", "utf-8")
    for weights in ("CC0", "CC-BY"):
        tell_on_card(card, GeneratorSettings(weights=weights, data="made up"), 32)
    text = card.read_text("utf-8")
    assert text.count("## The generator") == 1 and "CC-BY" in text and "CC0" not in text
    assert text.startswith("# A model\n\nText.\n\n## Last\n\nMore.\n\n## The generator\n")
