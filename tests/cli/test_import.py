"""The verbs: what they take, what they ask for, what they say."""

from pathlib import Path

import onnx
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.bundle import load_bundle
from sitegen.cli import app
from sitegen.cli.importing import questions as asking
from sitegen.errors import BundleError, SettingsError, SitegenError
from sitegen.importing.settings import read_import_settings
from sitegen.importing.sources.onnx_model import questions
from sitegen.phantom import phantom
from tests.helpers.bundles import classifier, make_bundle

VERBS = ["torch", "torchscript", "chexnet", "torchxrayvision", "onnx", "tfjs", "keras", "timm", "huggingface"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx, an image, and settings that answer everything."""
    folder = tmp_path_factory.mktemp("files")
    onnx.save(classifier(channels=3), folder / "model.onnx")
    Image.fromarray(phantom(0, 96)).save(folder / "image.png")
    (folder / "settings.toml").write_text(
        'name = "from-file"\noutput = "logits"\n[image]\nrange = [0, 1]\nmean = [0]\nstd = [1]\n'
        + "".join(f'[[labels]]\nname = "{name}"\n' for name in ("A", "B", "C")),
        encoding="utf-8",
    )
    return folder


def run(files: Path, out: Path, *options: str, typed: str | None = None) -> Result:
    arguments = ["import", "onnx", str(files / "model.onnx"), "-o", str(out), "--images", str(files / "image.png")]
    return CliRunner().invoke(app, [*arguments, *options], input=typed)


def failed(result: Result, kind: type[SitegenError]) -> str:
    assert isinstance(result.exception, kind), result.output
    assert result.exception.exit_code == 2
    return str(result.exception)


def test_settings_make_a_bundle_and_the_next_commands_are_told(files: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "my model", tmp_path / "report.html"
    config = ("--config", str(files / "settings.toml"))
    done = run(files, out, *config, "--title", "My title", "--half", "--report", str(report))
    assert done.exit_code == 0, done.output
    description = load_bundle(out).description
    assert (description.name, description.title) == ("from-file", "My title")
    assert [label.name for label in description.labels] == ["A", "B", "C"]
    assert description.provenance["weights"]["numbers"] == 8 * 3 * 25
    assert report.is_file()
    for words in (
        "The graphs give the logits of the original",
        "Weights in the form half move probabilities by",
        f"Read the report: {report}",
        f"Next: sitegen build --bundle '{out}' --out dist",
        f"Then: sitegen verify --site dist --bundle '{out}'",
        "Not for diagnostic use.",
    ):
        assert words in done.output, words


def test_two_forms_of_the_weights_are_refused_and_names_are_those_of_the_table(files: Path, tmp_path: Path) -> None:
    told = failed(run(files, tmp_path / "out", "--half", "--weights", "int8"), SettingsError)
    assert told == "--half is the same as --weights half, and --weights int8 is named, too: name one."
    wrong = run(files, tmp_path / "out", "--weights", "int4")
    assert wrong.exit_code == 2
    assert "'int4' is not one of 'float', 'half', 'int8', 'static-int8'" in " ".join(wrong.output.split())


def test_options_come_before_the_file_of_settings(files: Path, tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source")
    options = ("--config", str(files / "settings.toml"), "--labels", "X, Y,Z", "--name", "named")
    done = run(files, tmp_path / "out", *options, "--gate", str(source.folder))
    assert done.exit_code == 0, done.output
    description = load_bundle(tmp_path / "out").description
    assert description.name == "named"
    assert [label.name for label in description.labels] == ["X", "Y", "Z"]
    assert description.gate is not None
    assert (tmp_path / "named-import.html").is_file()


def test_without_a_terminal_the_error_is_a_file_of_settings(files: Path, tmp_path: Path) -> None:
    message = failed(run(files, tmp_path / "out"), SettingsError)
    assert not (tmp_path / "out").exists()
    settings = tmp_path / "settings.toml"
    settings.write_text(message[message.index("\n\n") :], encoding="utf-8")
    read = read_import_settings(settings)
    assert len(read.labels) == 3
    assert set(read.image) >= {"range", "mean", "std"}
    done = run(files, tmp_path / "out", "--config", str(settings))
    assert done.exit_code == 0, done.output


def test_at_a_terminal_each_question_is_asked_until_the_answer_fits(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_at_terminal", lambda: True)
    answers = {"labels": "One,Two,Three", "output": "logits", "image.range": "nonsense\n0, 1"}
    open_ones = questions(files / "model.onnx")
    assert {"labels", "image.range"} <= {question.key for question in open_ones}
    typed = [answers.get(question.key, "") for question in open_ones]  # nothing typed is the default
    done = run(files, tmp_path / "out", typed="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    assert "'nonsense' is no number" in done.output
    assert [label.name for label in load_bundle(tmp_path / "out").description.labels] == ["One", "Two", "Three"]


def test_another_models_bundle_is_replaced_only_by_force(files: Path, tmp_path: Path) -> None:
    config = ("--config", str(files / "settings.toml"))
    out = make_bundle(tmp_path / "out").folder
    assert "holds the bundle of another model, 'test-model'" in failed(run(files, out, *config), BundleError)
    assert load_bundle(out).description.name == "test-model"
    assert run(files, out, *config, "--force").exit_code == 0
    assert load_bundle(out).description.name == "from-file"


def test_missing_packages_are_named_with_the_command_that_installs_them(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["import", "chexnet", "model.pth.tar", "-o", str(tmp_path / "out")])
    assert failed(done, SettingsError) == (
        "sitegen import chexnet needs torch, onnxscript: pip install 'offline-sitegen[import]'"
    )


@pytest.mark.parametrize("labels", ["A,,B", "A,B"])
def test_labels_that_do_not_fit_are_refused(files: Path, tmp_path: Path, labels: str) -> None:
    done = run(files, tmp_path / "out", "--config", str(files / "settings.toml"), "--labels", labels)
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_every_source_has_a_verb_of_one_form() -> None:
    commands = typer.main.get_command(app).commands["import"].commands  # type: ignore[attr-defined]
    assert list(commands) == VERBS
    shared = {"-o", "--out", "--config", "--labels", "--name", "--title", "--gate", "--images", "--report"}
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        assert options == shared | {"--weights", "--half", "--force", "--check"} | (
            {"--network"} if name == "torch" else set()
        )
        assert command.help


def test_a_check_says_what_would_be_done_and_writes_nothing(files: Path, tmp_path: Path) -> None:
    model = str(files / "model.onnx")
    arguments = ["import", "onnx", model, "--config", str(files / "settings.toml")]
    done = CliRunner().invoke(app, [*arguments, "--check"])
    assert done.exit_code == 0
    assert "It would be imported as" in done.output
    assert "Nothing was written." in done.output
    assert list(tmp_path.iterdir()) == []
    assert "Name the folder of the bundle with -o" in failed(CliRunner().invoke(app, arguments), SettingsError)
