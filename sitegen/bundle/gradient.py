"""What the gradient graphs of a bundle must have in common with its classifier, and what each must give.

They take the classifier's image and a seed, one weight a label. Beside the logits, `gradient` gives the gradient of
<seed, logits> with respect to the image, and maybe the last feature map with the gradient with respect to that; `cam`
gives the feature map and its gradient alone; `guided` the guided gradient with respect to the image.
"""

from collections.abc import Iterator, Mapping

from sitegen.bundle.parts import Graph, GraphInput

GRADIENTS = ("gradient", "cam", "guided")  # roles
_SAME = ("shape", "colour", "crop", "range", "mean", "std")


def gradient_problems(graphs: Mapping[str, Graph], labels: int) -> Iterator[str]:
    """Yield what is wrong with those of these graphs, by role, that are GRADIENTS, for so many labels."""
    classifier = graphs.get("classifier")
    for role in GRADIENTS:
        if role in graphs and classifier:
            yield from (f"graphs.{role}{problem}" for problem in _problems(role, graphs[role], classifier, labels))
    maps = {role: graphs[role].output("features") for role in GRADIENTS if role in graphs}
    shapes = {role: output.shape for role, output in maps.items() if output}
    if len({tuple(shape) for shape in shapes.values() if shape}) > 1:
        yield f"the gradient graphs must give feature maps of one shape, not of {shapes}"


def _problems(role: str, graph: Graph, classifier: Graph, labels: int) -> Iterator[str]:
    images = graph.images
    seeds = [entry for entry in graph.inputs if entry.colour is None]
    if (len(images), len(seeds)) != (1, 1):
        yield " must have two inputs, an image and a seed (an input whose colour is null)"
        return
    if len(classifier.images) == 1:
        yield from _other_image(images[0], classifier.images[0])
    if seeds[0].shape != [1, labels]:
        yield (
            f": the seed {seeds[0].name!r} has the shape {seeds[0].shape}; "
            f"it must be [1, {labels}], one weight for each label"
        )
    if graph.output("logits") is None:
        yield " has no output with the role 'logits'"
    if role != "cam":
        yield from _gradient_problems(graph, images[0].shape)
    yield from _feature_problems(graph, needed=role == "cam")


def _other_image(ours: GraphInput, theirs: GraphInput) -> Iterator[str]:
    for key in _SAME:
        first, second = getattr(ours, key), getattr(theirs, key)
        if first != second:
            yield f": the image's {key} is {first}, but the classifier's is {second}"


def _gradient_problems(graph: Graph, image: list[int]) -> Iterator[str]:
    result = graph.output("gradient")
    if result is None:
        yield " has no output with the role 'gradient'"
    elif result.shape != image:
        yield f": the output {result.name!r} must have the image's shape, {image}, not {result.shape}"


def _feature_problems(graph: Graph, *, needed: bool) -> Iterator[str]:
    features, pulled = graph.output("features"), graph.output("features-gradient")
    if features is None or pulled is None:
        if needed:
            yield " needs outputs of both roles, 'features' and 'features-gradient'"
        elif features is not pulled:
            yield " needs outputs of both roles, 'features' and 'features-gradient', or of neither"
    elif features.shape is None or features.shape != pulled.shape:
        yield (
            f": the outputs {features.name!r} and {pulled.name!r} must state one shape, "
            f"not {features.shape} and {pulled.shape}"
        )
