"""Files of PyTorch as data alone: numbers, texts and tensors. Nothing in a file is ever run.

Three locks, one behind the other. An archive must not unpack to more than it weighs. A pickle may only name what
tensors are made of; this is read off it without running it. Then `torch.load` reads it with `weights_only`, whose own
unpickler knows tensors and little else.
"""

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.archive import check_archive, head_of
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.checkpoint.pickle_names import pickle_names
from sitegen.importing.checkpoint.stand_ins import read_with_stand_ins

# What a checkpoint of tensors names. `weights_only` would let some more pass that can take all memory there is.
_DATA = re.compile(
    r"collections\.(OrderedDict|Counter)|_codecs\.encode|(builtins|__builtin__)\.set|torch\.(Size|device)"
    r"|torch(\.cuda)?\.[A-Za-z0-9]+Storage|torch\.storage\.(Typed|Untyped)Storage"
    r"|torch\._utils\._rebuild_(tensor|tensor_v2|parameter)"
    r"|torch\.nn\.parameter\.Parameter"
    r"|torch\.(b?float(16|32|64)|double|half|u?int(8|16|32|64)|long|bool|complex(32|64|128)|float8_\w+)"
)
# What training scripts keep beside weights: records, of which nothing is made. `weights_only` refuses them.
_RECORDS = re.compile(
    r"numpy\.(_core|core)\.multiarray\.(scalar|_reconstruct)|numpy\.(dtype|ndarray|bool_?|float64|float32|int64)"
    r"|numpy\.dtypes\.\w+|argparse\.Namespace|types\.SimpleNamespace|pathlib\.(Pure)?(Posix|Windows)?Path"
    r"|pathlib\._local\.\w*Path|collections\.(defaultdict|deque)|datetime\.(datetime|date|timedelta|timezone)"
    r"|(builtins|__builtin__)\.(list|dict|tuple|slice|complex|frozenset|float|int|str|bool)"
    r"|(pytorch_lightning|lightning|lightning_fabric|lightning_utilities)(\.\w+)*\.(AttributeDict|ModelCheckpoint|"
    r"EarlyStopping|LightningEnum|TrainerFn)|omegaconf(\.\w+)*\.\w+|yacs\.config\.CfgNode|easydict\.EasyDict"
)
_ZIP = b"PK\x03\x04"
_LEGACY_PICKLES = 4  # magic number, version, system, and the object; storages follow
_PICKLE = 256 << 20  # bytes; that of a network has some hundred for each tensor
_TOLD = 5


def read_checkpoint(file: Path) -> object:
    """Return what a file of torch.save, of any version, or of safetensors holds, its tensors on the CPU.

    Raises ModelError where the file is no such file, is damaged, or asks for anything but data; the message says what
    for, and how to convert it.
    """
    if file.suffix == ".safetensors":
        return read_safetensors(file)
    refused = refused_names(file)
    if refused and all(_RECORDS.fullmatch(name) for name in refused):
        return read_with_stand_ins(file, _RECORDS, _DATA)
    if refused:
        raise ModelError(_refusal(file, refused))
    try:
        document: object = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile or damaged pickle can fail in any way that a program can
        raise ModelError(
            f"{file} cannot be read as data: {_reason(error)}. It is damaged, or was not made by torch.save. {_CONVERT}"
        ) from error
    return document


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file. Raises ModelError where it is damaged, SettingsError without the
    package.
    """
    library = optional_library("safetensors.torch", f"Reading {file.name}")
    head_of(file)
    try:
        tensors: dict[str, Tensor] = library.load_file(str(file), device="cpu")
    except Exception as error:
        raise ModelError(f"{file} is no safetensors file, or is damaged: {error}. Get it again.") from error
    return tensors


def refused_names(file: Path) -> list[str]:
    """Return the names that the pickle in a file of torch.save asks for and that are not data; it is not run.

    Raises ModelError where the file is no such file, or is damaged.
    """
    return [name for name in _names(file) if not _DATA.fullmatch(name)]


def is_torchscript(file: Path) -> bool:
    """Return whether a file is a TorchScript archive: a program with its weights. Raises ModelError as above."""
    if head_of(file) != _ZIP:
        return False
    return any(name.partition("/")[2] == "constants.pkl" for name in check_archive(file))


def _names(file: Path) -> list[str]:
    """What the pickle in a file asks for."""
    if head_of(file) != _ZIP:
        with file.open("rb") as stream:
            try:
                return pickle_names(stream, _LEGACY_PICKLES)
            except ModelError as error:
                raise ModelError(
                    f"{file} is no checkpoint of PyTorch: {error}. Get it again from its source."
                ) from error
    if is_torchscript(file):
        raise ModelError(
            f"{file} is a TorchScript archive: a program, not weights alone. If you trust who made it, import it with "
            "sitegen import torchscript."
        )
    names = [name for name in check_archive(file) if name.partition("/")[2] == "data.pkl"]
    if not names:
        raise ModelError(f"{file} is an archive without data.pkl, so not one of torch.save. Name the checkpoint in it.")
    with zipfile.ZipFile(file) as archive, archive.open(names[0]) as stream:
        return _names_in_member(stream, archive.getinfo(names[0]).file_size, file)


def _names_in_member(stream: IO[bytes], size: int, file: Path) -> list[str]:
    if size > _PICKLE:
        raise ModelError(f"{file} has a pickle of {size} bytes beside its tensors, which no network needs.")
    try:
        return pickle_names(BytesIO(stream.read(size)))
    except (ModelError, zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise ModelError(f"{file} is damaged: {error}. Get it again from its source.") from error


_CONVERT = (
    "Where you trust the file, load it with the code that it was made with, save the weights alone, and import those: "
    "torch.save(model.state_dict(), 'weights.pt')"
)


def _refusal(file: Path, names: list[str]) -> str:
    told = ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
    return f"{file} asks for {told}, which is code and not data; nothing of it was run. {_CONVERT}"


def _reason(error: Exception) -> str:
    """The sentence in an error of torch.load that says what was in the way; the rest tells to switch the lock off."""
    text = str(error).partition("WeightsUnpickler error:")[2] or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].partition(". ")[0].rstrip(".") if lines else type(error).__name__
