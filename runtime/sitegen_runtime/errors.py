"""What can stop an analysis, as exceptions with the codes that result documents carry.

AnalysisError
├── Cancelled             "cancelled"          the person asked to stop
├── UnreadableFile        "unreadable-file"    the bytes could not be had at all
├── EngineFailed          "engine-failed"      a decoder or network broke for reasons other than the image
├── MissingNetwork        "missing-network"    the bundle cannot do what was asked for
├── BadSeed               "bad-seed"           a gradient was asked for in a direction that is none
├── BadCorrection         "bad-correction"     the image was to be put right in a way that is none
├── BadExplanation        "bad-explanation"    what was to be explained, or how, is unknown
├── BadAttack             "bad-attack"         an attack was asked for that is none, or beyond bounds
├── BadIntervention       "bad-intervention"   what was to be changed of an image cannot be, or is nowhere in it
├── BadProjection         "bad-projection"     a projection was asked for that is none: its steps, seed, space or time
├── UndefinedMethod       "undefined-method"   the method has no meaning for the bundle's network
└── ImageError
    ├── UnsupportedType   "unsupported-type"   not a kind of file that is read here
    ├── DamagedImage      "damaged-image"      incomplete, or its checksums do not match
    ├── TooLarge          "too-large"          more pixels, or more work, than the limit
    └── TooSmall          "too-small"          fewer pixels than can be judged
"""

from sitegen_runtime.document_types import ErrorDocument


class AnalysisError(Exception):
    """An analysis without a result. `code` is stable; the message is for people."""

    code = "internal-error"

    def fields(self) -> ErrorDocument:
        """Return the error as a document has it."""
        return {"code": self.code, "message": str(self)}


class Cancelled(AnalysisError):
    """The person, or the program, asked to stop."""

    code = "cancelled"


class UnreadableFile(AnalysisError):
    """The file's bytes could not be read."""

    code = "unreadable-file"


class EngineFailed(AnalysisError):
    """A decoder or a network failed for reasons that are not the image's."""

    code = "engine-failed"


class MissingNetwork(AnalysisError):
    """The bundle has no network of the role that was asked for."""

    code = "missing-network"


class BadSeed(AnalysisError):
    """The weights of a gradient do not say what to differentiate."""

    code = "bad-seed"


class BadCorrection(AnalysisError):
    """The image was to be turned or changed in a way that is unknown."""

    code = "bad-correction"


class BadExplanation(AnalysisError):
    """An explanation was asked for of a finding, by a method or in a look that is unknown."""

    code = "bad-explanation"


class BadAttack(AnalysisError):
    """An attack was asked for that there is not, of a finding that there is not, or of no allowed strength or steps."""

    code = "bad-attack"


class BadIntervention(AnalysisError):
    """An intervention was asked for that is none: its form, its regions or its filling."""

    code = "bad-intervention"


class BadProjection(AnalysisError):
    """A projection was asked for that is none: its steps, its seed, its space of latents or its time."""

    code = "bad-projection"


class UndefinedMethod(AnalysisError):
    """The method of explanation has no meaning for the network of the bundle."""

    code = "undefined-method"


class ImageError(AnalysisError):
    """An image that cannot be analysed."""

    code = "image-error"


class UnsupportedType(ImageError):
    """The bytes are not of a type, or of a variant of a type, that is read here."""

    code = "unsupported-type"


class DamagedImage(ImageError):
    """The file is incomplete or contradicts itself: half an X-ray must never be scored."""

    code = "damaged-image"


class TooLarge(ImageError):
    """The image has more pixels than the limit, or reading it would take more work than is done for one."""

    code = "too-large"


class TooSmall(ImageError):
    """The centred square has fewer pixels than can be judged."""

    code = "too-small"
