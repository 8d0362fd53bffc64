"""Classes of layers under their names of Keras 3, whichever version of Keras wrote them; what is refused, by name."""

import re
from collections.abc import Mapping
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.keras.network import Layer

MODELS = {"Functional", "Sequential", "Model"}
_RENAMED = {
    **{"Convolution2D": "Conv2D", "SeparableConvolution2D": "SeparableConv2D"},
    **{"MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D", "GlobalAvgPool2D": "GlobalAveragePooling2D"},
    **{"GlobalMaxPool2D": "GlobalMaxPooling2D", "SyncBatchNormalization": "BatchNormalization"},
    **{"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"},
}
OFF = {  # do nothing to an image unless the model is being trained
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization"),
    *("RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomTranslation"),
    *("RandomHeight", "RandomWidth", "RandomCrop", "Identity"),
}
_ACTING_RANDOM = {"RandomHeight", "RandomWidth", "RandomCrop"}  # resize or crop outside of training, too
LAYERS = {
    *("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense", "BatchNormalization", "Normalization", "Rescaling"),
    *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "MaxPooling2D", "AveragePooling2D"),
    *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten", "Reshape", "ZeroPadding2D", "Cropping2D"),
    *("LayerNormalization", "UpSampling2D", "Resizing", "Conv2DTranspose"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "CustomScaleLayer"),
    *OFF,
} - _ACTING_RANDOM
# Functions that a model calls without a layer: by Keras 3's class of operation, or TensorFlow's name.
FUNCTIONS = {
    **{"Add": "Add", "Subtract": "Subtract", "Multiply": "Multiply", "TrueDivide": "Divide", "Divide": "Divide"},
    **{"math.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply", "math.truediv": "Divide"},
    **{"math.divide": "Divide", "__operators__.add": "Add", "nn.relu": "relu", "nn.relu6": "relu6"},
    **{"math.sigmoid": "sigmoid", "nn.softmax": "softmax", "nn.sigmoid": "sigmoid", "math.tanh": "tanh"},
    **{"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Softmax": "softmax", "Silu": "silu", "Tanh": "tanh"},
    **{"HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "Gelu": "gelu", "LeakyRelu": "leaky_relu"},
}
_OWN = re.compile(r"(keras|tf_keras|tensorflow|tensorflow\.python\.keras|tensorflow\.keras)(\.[\w.]*)?")
_OLD_KEYS = {
    **{"nb_filter": "filters", "output_dim": "units", "subsample": "strides", "border_mode": "padding"},
    **{"dim_ordering": "data_format", "bias": "use_bias", "p": "rate"},
}
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": "channels_last"}
_MERGES = {"sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum"}


def layer_of(entry: Mapping[str, Any], around: tuple[str, ...]) -> Layer:
    """Return a layer of a model's configuration, or a model within it, with the class and the keys of Keras 3.

    Raises ModelError where it is none, or where it holds code or a class that is not Keras's own.
    """
    kind, config = entry.get("class_name"), entry.get("config")
    if not isinstance(kind, str) or not isinstance(config, (dict, list)):
        raise ModelError(f"{str(entry)[:200]} is no layer of Keras. Save the model again.")
    named = config if isinstance(config, dict) else {}
    name = entry.get("name") or named.get("name") or kind
    place = (*around, _text(name))
    _refuse_code(kind, entry, "/".join(place))
    if kind in MODELS:
        return Layer(kind, place, {"layers": config} if isinstance(config, list) else config)
    module = str(entry.get("module") or "")
    kind = _RENAMED.get(kind, kind)
    # In HDF5 Keras 3 does not write the module, by which operations are told from layers.
    if kind in ("TFOpLambda", "SlicingOpLambda") or ".ops." in module or (kind in FUNCTIONS and kind not in LAYERS):
        return _function(kind, place, named)
    layer = Layer(kind, place, _with_new_keys(named))
    if kind == "Merge" and str(named.get("mode")) in _MERGES:
        return Layer(_MERGES[str(named["mode"])], place, {"axis": named.get("concat_axis", -1)})
    if kind not in LAYERS | {"InputLayer"}:
        raise layer.unsupported("this class of layer is not known here")
    if layer.config.get("data_format") == "channels_first":
        raise layer.unsupported("channels come first in it, and images of Keras are read with channels last")
    return layer


def _text(name: object) -> str:
    """Return a name as a text that can be written; JSON may hold halves of characters."""
    return str(name).encode("utf-8", "replace").decode()


def _refuse_code(kind: str, entry: Mapping[str, Any], name: str) -> None:
    """Raise ModelError, naming it, where a layer is code that the file holds, or that lies outside of it."""
    if kind == "Lambda":
        raise ModelError(
            f"The layer {name!r} is a Lambda: a program in the file, which is never run here. Build the model again "
            "with a layer of Keras in its place, load the weights, and save it."
        )
    module, registered = str(entry.get("module") or ""), str(entry.get("registered_name") or "")
    own = not module or _OWN.fullmatch(module)
    if not own or ">" in registered:
        raise ModelError(
            f"The layer {name!r} is of the class {registered or kind!r}{f' of {module}' if module else ''}, which is "
            "not one of Keras: its code is not in the file, and none is run here. Convert the model to ONNX with "
            "tf2onnx where that code is, and import that."
        )


def _function(kind: str, place: tuple[str, ...], config: Mapping[str, Any]) -> Layer:
    called = str(config.get("function", kind)) if kind == "TFOpLambda" else kind
    made = FUNCTIONS.get(called)
    if made is None:
        raise Layer(f"function {called}", place, config).unsupported("this function is not known here")
    if made[0].isupper():
        return Layer(made, place, {})
    return Layer("Activation", place, {**config, "activation": made})


def _with_new_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration of Keras 1 with the keys of later versions; others as they are."""
    made = {_OLD_KEYS.get(key, key): value for key, value in config.items()}
    if "nb_row" in config:
        made["kernel_size"] = [config["nb_row"], config.get("nb_col")]
    if "data_format" in made:
        made["data_format"] = _ORDERINGS.get(str(made["data_format"]), made["data_format"])
    return made
