"""What can go wrong at the tool's side. Every message names the thing, the value and the next step.

    SitegenError
    ├── BundleError      a bundle is incomplete, inconsistent or damaged
    ├── AssetError       a part that a site needs cannot be had or is not what was pinned
    ├── SiteError        a built site is missing or damaged
    ├── SignatureError   a key for signatures cannot be read or used
    ├── BrowserError     no usable browser, or it failed
    ├── AuditError       the audit of a data set fails, and nobody accepted what it found
    ├── DataError        a folder of images is not what its manifest says
    ├── GradientError    a graph has no gradient that can be compiled
    ├── ExplanationError an image cannot be explained: no result, refused, or no map by this method
    ├── ExportError      a network does not give in ONNX what it gives in PyTorch
    ├── ModelError       a model that is to be imported cannot be read, or has what sitegen does not take
    ├── CheckpointError  saved training cannot be read, or not be resumed with these settings
    ├── TrainingError    training went wrong on its way
    ├── WorkerError      a process that shared the work ended before it was done
    └── SettingsError    settings ask for what there is not

Images have exceptions of their own, in `sitegen_runtime.errors`: those end up in result documents.
"""


class SitegenError(Exception):
    """Base of all errors that the command line prints without a traceback.

    `exit_code` is 2 where what was named cannot be used, 1 where something else failed.
    """

    exit_code = 2


class BundleError(SitegenError):
    """A bundle cannot be used; the message lists everything that is wrong with it."""


class AssetError(SitegenError):
    """A third-party part of a site (Pyodide, ONNX Runtime Web, Node.js) is missing or unexpected."""

    exit_code = 1


class SiteError(SitegenError):
    """A folder is not a complete site."""


class SignatureError(SitegenError):
    """A key that signs sites, or checks their signatures, cannot be read or used."""


class BrowserError(SitegenError):
    """A browser could not be found, started or driven."""

    exit_code = 1


class DataError(SitegenError):
    """A data set is incomplete or contradicts itself."""


class AuditError(SitegenError):
    """A label is told by what is no anatomy; the message names label, measure and figure, and the next step."""

    exit_code = 1


class ModelError(SitegenError):
    """A model cannot be imported; the message names its file, what is in the way, and the next step."""


class CheckpointError(SitegenError):
    """A checkpoint does not fit the training that is to go on from it."""


class TrainingError(SitegenError):
    """Training cannot go on, for the loss is no longer a number."""

    exit_code = 1


class WorkerError(SitegenError):
    """One of several processes ended in the middle of its work, which nothing in it had asked for."""

    exit_code = 1


class GradientError(SitegenError):
    """The gradient of a graph cannot be compiled; the message names the node, or the name that does not fit."""


class ExplanationError(SitegenError):
    """An image has no explanation; the message says whether it failed, was refused, or the method has no map of it."""

    exit_code = 1


class ExportError(SitegenError):
    """What was exported does not give what the network gives; the message names the graph and the difference."""

    exit_code = 1


class SettingsError(SitegenError):
    """Settings name something that does not exist, or give a value that does not fit; the message lists all of it."""
