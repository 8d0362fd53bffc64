"""What a model's file leaves open, as questions to its user; the answers are settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sitegen.errors import SettingsError
from sitegen.importing.settings import ImportSettings
from sitegen.settings.reading import read_settings, settings_document

_NUMBERS = ("image.range", "image.mean", "image.std")


@dataclass(frozen=True)
class Question:
    """One setting that the file does not tell.

    `key` is its place in the settings, `asks` the sentence for people, `example` an answer that shows the form.
    `default` is what is taken where nobody answers; None where the import cannot do without an answer.
    """

    key: str
    asks: str
    example: str
    default: str | None = None


_SIDE = (
    "How many pixels wide and high is the image that the network takes? Of one that is no square, say rows and columns."
)


def image_questions(*, side: bool, colour: bool, channels: int | None, levels: bool = False) -> list[Question]:
    """Return the questions on how pixels become numbers: those that no model file answers, and two that some do.

    `levels` says that the network takes bytes, which are what images have.
    """
    many = channels == 3
    asked = [
        Question("image.side", _SIDE, "224"),
        Question("image.colour", 'Does the network take "grey" or "rgb" images?', "grey"),
        Question("image.range", "Which numbers do black and white become, before mean and deviation?", "0, 1"),
        Question("image.mean", "Which mean is subtracted then?", "0.485, 0.456, 0.406" if many else "0", "0"),
        Question("image.std", "Which deviation is it divided by?", "0.229, 0.224, 0.225" if many else "1", "1"),
    ]
    told = {"image.side": not side, "image.colour": not colour, **dict.fromkeys(_NUMBERS, levels)}
    return [question for question in asked if not told.get(question.key, False)]


def labels_question(count: int | None) -> Question:
    """Return the question for the findings, of which there are so many; None where the file does not tell."""
    many = "findings" if count is None else f"{count} findings" if count > 1 else "one finding"
    return Question(
        "labels",
        f"What are the model's {many} called? Name them in the order of its outputs, with commas between them.",
        ", ".join(("Effusion", "Mass", "Nodule")[: min(count or 2, 3)]),
    )


OUTPUT = Question(
    "output",
    'What does the network give: "logits", "probabilities" (of a sigmoid), "softmax" or "percentages"?',
    "logits",
)


def open_questions(questions: Sequence[Question], settings: ImportSettings) -> list[Question]:
    """Return the questions that the settings do not answer."""
    answered = {f"image.{key}" for key in settings.image}
    answered |= {"labels"} if settings.labels else set()
    answered |= {"output"} if settings.output else set()
    return [question for question in questions if question.key not in answered]


def check_answered(questions: Sequence[Question], settings: ImportSettings) -> None:
    """Raise SettingsError, naming all settings that are missing, unless every question has an answer or a default."""
    missing = [question for question in open_questions(questions, settings) if question.default is None]
    if missing:
        lines = "; ".join(f"{question.key} ({question.asks} For example {question.example})" for question in missing)
        raise SettingsError(f"the model's file does not tell everything. Say in the settings: {lines}")


def answered(settings: ImportSettings, answers: Mapping[str, str]) -> ImportSettings:
    """Return the settings with what was answered to questions, by their key.

    Raises SettingsError where an answer does not fit.
    """
    document: dict[str, Any] = settings_document(settings)
    for key, answer in answers.items():
        if key == "labels":
            document["labels"] = [{"name": name.strip()} for name in answer.split(",") if name.strip()]
        elif key == "output":
            document["output"] = answer.strip()
        else:
            document["image"] = {**document["image"], key.removeprefix("image."): _value(key, answer.strip())}
    return replace(read_settings(ImportSettings, document), folder=settings.folder)


def _value(key: str, answer: str) -> Any:
    try:
        if key in _NUMBERS:
            return [float(part) for part in answer.replace(",", " ").split()]
        if key == "image.side":
            sides = [int(part) for part in answer.replace(",", " ").split()]
            return sides[0] if len(sides) == 1 else sides
        return answer
    except ValueError:
        raise SettingsError(f"{key}: {answer!r} is no number") from None
