"""From a model's configuration to steps: models within models are written out, in an order that can be computed."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.keras.activations import argument
from sitegen.importing.keras.calls import Call, Ref, calls_of, references
from sitegen.importing.keras.classes import MODELS, OFF, layer_of
from sitegen.importing.keras.network import Layer, Network, Step, Values, is_whole
from sitegen.importing.keras.weights import Weights, check_numbers, roles_of

_DEEPEST = 16  # models within models
_MOST = 5_000  # steps; the largest networks of keras.applications have about 1,000
_INPUT = "image_input"


def lay_out(entry: Mapping[str, Any], weights: Weights, version: int) -> Network:
    """Return the network of a model's configuration ({"class_name", "config"}) with its weights.

    Raises ModelError where it takes something else than one image, has layers that are not known, holds code, or does
    not fit its weights.
    """
    model = layer_of(entry, ())
    if model.kind not in MODELS:
        raise ModelError(f"{model.name!r} is a {model.kind}, not a model. Name the file of a whole model.")
    laying = _Laying(weights, version)
    shape = _image_shape(model)
    outputs = laying.run(Layer(model.kind, (), model.config), [_INPUT])
    if _INPUT in outputs:
        raise ModelError(f"The model {model.name!r} gives what it was given. Get the file again.")
    return Network(laying.steps, _INPUT, shape, list(dict.fromkeys(outputs)), version)


class _Laying:
    """One walk through a model and those within it."""

    def __init__(self, weights: Weights, version: int) -> None:
        self.steps: list[Step] = []
        self._weights, self._version = weights, version
        self._kept: dict[tuple[str, ...], Mapping[str, Values]] = {}
        self._taken = {_INPUT}

    def run(self, model: Layer, given: Sequence[str]) -> list[str]:
        """Write the steps of a model on tensors, and return the names of its outputs."""
        if len(model.place) > _DEEPEST:
            raise ModelError(f"There are models within models, more than {_DEEPEST} deep: {model.name[:80]!r}.")
        entries = model.config.get("layers")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ModelError(f"The model {model.name!r} has no list of layers. Save it again.")
        layers = [layer_of(entry, model.place) for entry in entries]
        if model.kind == "Sequential" or "output_layers" not in model.config:
            return self._one_by_one(model, layers, given)
        return self._by_nodes(model, layers, entries, given)

    def _one_by_one(self, model: Layer, layers: Sequence[Layer], given: Sequence[str]) -> list[str]:
        if model.kind != "Sequential" and "layers" in model.config and "input_layers" in model.config:
            raise ModelError(f"The model {model.name!r} states no outputs. Save it again.")
        found = list(given)
        for layer in layers:
            if layer.kind != "InputLayer":
                found = self.call(layer, Call(tuple(Ref(layer.place[-1], 0, at) for at in range(len(found)))), found)
        return found

    def _by_nodes(
        self, model: Layer, layers: Sequence[Layer], entries: Sequence[Mapping[str, Any]], given: Sequence[str]
    ) -> list[str]:
        """A functional model: each call of a layer reads what earlier calls of others gave."""
        inputs = references(model, model.config.get("input_layers"))
        if len(inputs) != len(given):
            raise ModelError(f"The model {model.name!r} takes {len(inputs)} inputs, and is given {len(given)}.")
        known = {ref.call: [name] for ref, name in zip(inputs, given, strict=True)}
        named = {layer.place[-1]: layer for layer in layers}
        calls = {
            (layer.place[-1], at): call
            for layer, entry in zip(layers, entries, strict=True)
            for at, call in enumerate(calls_of(layer, entry))
            if layer.kind != "InputLayer"
        }
        outputs = [_resolved(ref, calls, known, model) for ref in references(model, model.config["output_layers"])]
        for place in _ordered(calls, known, outputs, model):
            call = calls[place]
            reads = [_resolved(ref, calls, known, model) for ref in call.refs]
            known[place] = self.call(named[place[0]], call, [_picked(known, ref, model) for ref in reads])
        return [_picked(known, ref, model) for ref in outputs]

    def call(self, layer: Layer, call: Call, given: Sequence[str]) -> list[str]:
        """Write the steps of one call, and return the names of its results."""
        if layer.kind in MODELS:
            return self.run(layer, given)
        # From Keras 3 on predict() says otherwise to each layer, whatever stands in its call.
        if call.training and self._version < 3 and layer.kind in OFF | {"BatchNormalization"}:
            raise layer.unsupported("it is called as in training, so that it gives another result each time")
        if layer.kind in OFF:
            return list(given)
        if len(self.steps) >= _MOST:
            raise ModelError(f"The model has more than {_MOST} steps, counting shared layers each time.")
        if layer.place not in self._kept:
            roles = roles_of(layer)
            self._kept[layer.place] = self._weights.of(layer, roles) if roles else {}
            check_numbers(self._kept[layer.place])
        weights = {**self._kept[layer.place], **({} if call.constant is None else {"constant": call.constant})}
        inputs = ("", *given) if call.constant_first else tuple(given)
        after = argument(layer)
        name = self._free("/".join(layer.place))
        self.steps.append(Step(self._free(f"{name}/before") if after else name, layer, inputs, weights))
        if after:
            self.steps.append(Step(name, after, (self.steps[-1].name,)))
        return [name]

    def _free(self, wanted: str) -> str:
        name, count = wanted, 0
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name


def _resolved(ref: Ref, calls: Mapping[tuple[str, int], Call], known: Mapping[Any, Any], model: Layer) -> Ref:
    """Return a reference to a call that there is: files count calls outside of their model, too."""
    if ref.call in calls or ref.call in known:
        return ref
    others = [place for place in (*calls, *known) if place[0] == ref.layer]
    if len(set(others)) != 1:
        raise ModelError(f"The model {model.name!r}: a layer reads {ref.layer!r}, call {ref.at}, and there is no such.")
    return Ref(ref.layer, others[0][1], ref.result)


def _picked(known: Mapping[tuple[str, int], Sequence[str]], ref: Ref, model: Layer) -> str:
    results = known[ref.call]
    if not 0 <= ref.result < len(results):
        raise ModelError(f"The model {model.name!r}: {ref.layer!r} has no result {ref.result}.")
    return results[ref.result]


def _ordered(
    calls: Mapping[tuple[str, int], Call], known: Mapping[tuple[str, int], Any], outputs: Sequence[Ref], model: Layer
) -> list[tuple[str, int]]:
    """Return the calls that the outputs need, each after those that it reads."""
    needs: dict[tuple[str, int], set[tuple[str, int]]] = {}
    waiting = [ref.call for ref in outputs]
    while waiting:
        place = waiting.pop()
        if place in needs or place in known:
            continue
        needs[place] = {_resolved(ref, calls, known, model).call for ref in calls[place].refs} - set(known)
        waiting += needs[place]
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ModelError(f"The model {model.name!r}: its layers read each other in a circle.") from error


def _image_shape(model: Layer) -> tuple[int | None, ...]:
    """Return the shape of the model's image, as the first layer states it. Raises ModelError where it takes none."""
    found, layers = None, model.config.get("layers")
    depth = 0
    if model.kind != "Sequential" and isinstance(layers, list):
        inputs = [entry for entry in layers if isinstance(entry, dict) and entry.get("class_name") == "InputLayer"]
        layers = inputs or layers
        if len(inputs) > 1:
            raise ModelError(f"The model {model.name!r} takes {len(inputs)} inputs, and one image is taken only.")
    while found is None and isinstance(layers, list) and layers and isinstance(layers[0], dict) and depth < _DEEPEST:
        config = layers[0].get("config")
        config = config if isinstance(config, dict) else {"layers": config}
        found = config.get("batch_shape", config.get("batch_input_shape"))
        layers, depth = config.get("layers"), depth + 1
    found = found if found is not None else model.config.get("build_input_shape")
    sizes = list(found) if isinstance(found, list) else []
    if len(sizes) != 4 or not all(size is None or (is_whole(size) and 0 < size < 1 << 20) for size in sizes):
        raise ModelError(
            f"The model {model.name!r} takes {found!r}, not a batch of images [batch, rows, columns, channels]. "
            "Only classifiers of images can be imported."
        )
    return tuple(sizes)
