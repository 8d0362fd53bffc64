"""What a model's file leaves open: asked for in the terminal, or else an error that shows the settings to write."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sitegen.importing.questions import Question
    from sitegen.importing.settings import ImportSettings


def with_answers(questions: Sequence["Question"], settings: "ImportSettings") -> "ImportSettings":
    """Return the settings with answers to the questions that they leave open.

    Raises SettingsError, with a TOML file to copy, where nobody sits at a terminal and an answer cannot be done
    without.
    """
    from sitegen.errors import SettingsError
    from sitegen.importing.questions import answered, open_questions

    left = open_questions(questions, settings)
    if not left:
        return settings
    if _at_terminal():
        return _asked(left, settings)
    if all(question.default is not None for question in left):
        return answered(settings, {question.key: question.default or "" for question in left})
    raise SettingsError(
        f"The model's file does not tell everything. Write what follows to a file, say settings.toml, with the values "
        f"of this model, and add --config settings.toml:\n\n{as_toml(left)}"
    )


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(questions: Sequence["Question"], settings: "ImportSettings") -> "ImportSettings":
    """Ask each question until the answer fits."""
    from sitegen.errors import SettingsError
    from sitegen.importing.questions import answered

    typer.echo("The model's file does not tell everything. What is answered here can be kept in a file for --config.")
    for question in questions:
        while True:
            told = question.asks if question.default is not None else f"{question.asks} (such as {question.example})"
            answer = typer.prompt(told, default=question.default)
            try:
                settings = answered(settings, {question.key: str(answer)})
                break
            except SettingsError as error:
                typer.echo(str(error))
    return settings


def as_toml(questions: Sequence["Question"]) -> str:
    """Return settings that answer the questions by their examples, each with its question as a comment."""
    top = [question for question in questions if "." not in question.key and question.key != "labels"]
    image = [question for question in questions if question.key.startswith("image.")]
    labels = [question for question in questions if question.key == "labels"]
    lines = [line for question in top for line in _entry(question.key, question)]
    if image:
        lines += ["", "[image]"]
        lines += [line for question in image for line in _entry(question.key.removeprefix("image."), question)]
    for question in labels:
        lines += ["", f"# {question.asks}"]
        for name in question.example.split(","):
            lines += ["[[labels]]", f'name = "{name.strip()}"']
    return "\n".join(lines).strip()


def _entry(key: str, question: "Question") -> list[str]:
    parts = [part.strip() for part in question.example.split(",")]
    value = ", ".join(part if _is_number(part) else f'"{part}"' for part in parts)
    listed = key in ("range", "mean", "std")
    return [f"# {question.asks}", f"{key} = [{value}]" if listed else f"{key} = {value}"]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
