"""sitegen turns a trained medical-image classifier into a folder that anyone can open, offline.

    import sitegen

    predictor = sitegen.Predictor()          the model that ships, or the folder of another
    predictor.predict("image.png")           findings, the gate's decision, or what is wrong with the file

All names are in `__all__`, and docs/python.md describes them. Each is loaded when it is first used, with what it needs:
importing sitegen loads nothing else. Not for diagnostic use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors; `_HOMES` says the same for those who run it
    from sitegen import errors, gradient, metrics, phantom
    from sitegen.api.attacks import AttackResult
    from sitegen.api.imports import import_network, import_onnx
    from sitegen.api.maps import Explanation, GradientResult
    from sitegen.api.places import load_bundle
    from sitegen.api.predictor import Predictor
    from sitegen.api.results import Failure, Finding, GateCheck, GateDecision, GateScore, Result
    from sitegen.api.sites import Server, Verification, build_site, serve, verify_site
    from sitegen.bundle import Bundle
    from sitegen.errors import (
        AssetError,
        AuditError,
        BrowserError,
        BundleError,
        CheckpointError,
        DataError,
        ExplanationError,
        ExportError,
        GradientError,
        ModelError,
        SettingsError,
        SignatureError,
        SiteError,
        SitegenError,
        TrainingError,
        WorkerError,
    )
    from sitegen.site.build import BuiltSite

__version__ = "0.1.0"
__all__ = [
    "AssetError",
    "AttackResult",
    "AuditError",
    "BrowserError",
    "BuiltSite",
    "Bundle",
    "BundleError",
    "CheckpointError",
    "DataError",
    "Explanation",
    "ExplanationError",
    "ExportError",
    "Failure",
    "Finding",
    "GateCheck",
    "GateDecision",
    "GateScore",
    "GradientError",
    "GradientResult",
    "ModelError",
    "Predictor",
    "Result",
    "Server",
    "SettingsError",
    "SignatureError",
    "SiteError",
    "SitegenError",
    "TrainingError",
    "Verification",
    "WorkerError",
    "__version__",
    "build_site",
    "errors",
    "gradient",
    "import_network",
    "import_onnx",
    "load_bundle",
    "metrics",
    "phantom",
    "serve",
    "verify_site",
]
_MODULES = ("errors", "gradient", "metrics", "phantom")
_HOMES = {
    "api.attacks": ("AttackResult",),
    "api.imports": ("import_network", "import_onnx"),
    "api.maps": ("Explanation", "GradientResult"),
    "api.places": ("load_bundle",),
    "api.predictor": ("Predictor",),
    "api.results": ("Failure", "Finding", "GateCheck", "GateDecision", "GateScore", "Result"),
    "api.sites": ("Server", "Verification", "build_site", "serve", "verify_site"),
    "bundle": ("Bundle",),
    "errors": (
        "AssetError",
        "AuditError",
        "BrowserError",
        "BundleError",
        "CheckpointError",
        "DataError",
        "ExplanationError",
        "ExportError",
        "GradientError",
        "ModelError",
        "SettingsError",
        "SignatureError",
        "SiteError",
        "SitegenError",
        "TrainingError",
        "WorkerError",
    ),
    "site.build": ("BuiltSite",),
}


def __getattr__(name: str) -> Any:
    """Return one of the names in `__all__`, loaded now (PEP 562); it stays, and this is not asked for it again."""
    if name in _MODULES:
        return import_module(f"sitegen.{name}")
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'sitegen' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"sitegen.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
