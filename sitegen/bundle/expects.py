"""What a bundle expects of a DICOM file's header, see `sitegen_runtime.bundle.expects`."""

from typing import Annotated

from pydantic import Field

from sitegen.bundle.parts import Part

Code = Annotated[str, Field(pattern="^[A-Z0-9][A-Z0-9 _]{0,15}$")]
"""A code string of DICOM (CS), in capitals."""


class Expects(Part):
    """Code strings, one of which the header must say where it says anything; what is None is as for chest radiographs.

    A list without entries expects nothing in particular.
    """

    modalities: list[Code] | None = None
    body_parts: list[Code] | None = None
    views: list[Code] | None = None
    unprocessed: bool = False
