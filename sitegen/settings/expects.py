"""What a recipe, or the settings of an import, let their bundle expect of a DICOM file's header."""

from dataclasses import asdict, dataclass

from sitegen.bundle.expects import Code, Expects
from sitegen.settings.reading import STRICT


@dataclass(frozen=True)
class ExpectsSettings:
    """Code strings; what is None is as for chest radiographs, and a list without entries expects nothing."""

    __pydantic_config__ = STRICT
    modalities: tuple[Code, ...] | None = None
    body_parts: tuple[Code, ...] | None = None
    views: tuple[Code, ...] | None = None
    unprocessed: bool = False  # whether images that wait for processing are expected, too


def expects_of(settings: ExpectsSettings | None) -> Expects | None:
    """Return the part of the bundle's description; None where nothing was said."""
    return None if settings is None else Expects.model_validate(asdict(settings))
