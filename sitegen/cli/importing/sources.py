"""What can be imported: a row for each verb of `sitegen import`."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A verb: its function and module under `sitegen.importing.sources`, its argument, its help, and what it needs."""

    verb: str
    module: str
    function: str
    metavar: str
    argument: str
    told: str
    needs: Sequence[str] = ("torch", "onnxscript")
    asks: bool = False  # the module has `questions`, for what a file leaves open


SOURCES = (
    Source(
        "torchscript", "torch_model", "import_torchscript", "FILE", "What torch.jit.save wrote.",
        "Import a TorchScript archive. It is a program, which PyTorch's interpreter runs: take it from people you "
        "trust.",
    ),
    Source(
        "chexnet", "chexnet", "import_chexnet", "FILE", "CheXNet's model.pth.tar.",
        "Import CheXNet: DenseNet-121, 14 findings of ChestX-ray14.",
    ),
    Source(
        "torchxrayvision", "torchxrayvision", "import_torchxrayvision", "FILE|NAME",
        "A file of weights, or a name such as densenet121-res224-all whose weights are on this machine.",
        "Import a classifier of TorchXRayVision, with its range, operating points and order of labels.",
        needs=("torch", "onnxscript", "skimage"),
    ),
    Source(
        "onnx", "onnx_model", "import_onnx", "FILE", "The model.", "Import a classifier in ONNX.",
        needs=(), asks=True,
    ),
    Source(
        "tfjs", "tfjs_model", "import_tfjs", "FILE|DIR", "model.json of a graph model, or its folder.",
        "Import a graph model of TensorFlow.js.", needs=(), asks=True,
    ),
    Source(
        "keras", "keras_model", "import_keras", "FILE|DIR",
        "A .keras or .h5, JSON with weights beside it, model.json of a layers model, or a folder with one of these.",
        "Import a classifier of Keras, or a layers model of TensorFlow.js. Nothing that it holds is run.",
        needs=(), asks=True,
    ),
    Source(
        "timm", "timm_folder", "import_timm", "DIR", "A folder with config.json and weights.",
        "Import an image classifier of timm from a folder on disk.",
    ),
    Source(
        "huggingface", "huggingface_folder", "import_huggingface", "DIR", "A folder with config.json and weights.",
        "Import an image classifier of Hugging Face's transformers from a folder on disk.",
    ),
)  # fmt: skip
TORCH = Source(
    "torch", "torch_model", "import_torch", "FILE", "The checkpoint.",
    "Import a checkpoint of PyTorch: weights alone, into a network of sitegen's or into one of yours.",
)  # fmt: skip
