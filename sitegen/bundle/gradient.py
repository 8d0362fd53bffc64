"""What the gradient graph of a bundle must have in common with its classifier.

It takes the classifier's image and a seed, one weight a label, and gives, beside the logits, the gradient of
<seed, logits> with respect to the image. It may also give the feature map, and the gradient with respect to that.
"""

from collections.abc import Iterator

from sitegen.bundle.parts import Graph, GraphInput

_SAME = ("shape", "colour", "crop", "range", "mean", "std")


def gradient_problems(gradient: Graph, classifier: Graph, labels: int) -> Iterator[str]:
    """Yield what is wrong with graphs.gradient, beside this classifier with so many labels."""
    images = gradient.images
    seeds = [entry for entry in gradient.inputs if entry.colour is None]
    if (len(images), len(seeds)) != (1, 1):
        yield "graphs.gradient must have two inputs, an image and a seed (an input whose colour is null)"
        return
    if len(classifier.images) == 1:
        yield from _other_image(images[0], classifier.images[0])
    if seeds[0].shape != [1, labels]:
        yield (
            f"graphs.gradient: the seed {seeds[0].name!r} has the shape {seeds[0].shape}; "
            f"it must be [1, {labels}], one weight for each label"
        )
    yield from _output_problems(gradient, images[0].shape)


def _other_image(ours: GraphInput, theirs: GraphInput) -> Iterator[str]:
    for key in _SAME:
        first, second = getattr(ours, key), getattr(theirs, key)
        if first != second:
            yield f"graphs.gradient: the image's {key} is {first}, but the classifier's is {second}"


def _output_problems(gradient: Graph, image: list[int]) -> Iterator[str]:
    if gradient.output("logits") is None:
        yield "graphs.gradient has no output with the role 'logits'"
    result = gradient.output("gradient")
    if result is None:
        yield "graphs.gradient has no output with the role 'gradient'"
    elif result.shape != image:
        yield f"graphs.gradient: the output {result.name!r} must have the image's shape, {image}, not {result.shape}"
    features, pulled = gradient.output("features"), gradient.output("features-gradient")
    if features is None or pulled is None:
        if features is not pulled:
            yield "graphs.gradient needs outputs of both roles, 'features' and 'features-gradient', or of neither"
    elif features.shape is None or features.shape != pulled.shape:
        yield (
            f"graphs.gradient: the outputs {features.name!r} and {pulled.name!r} must state one shape, "
            f"not {features.shape} and {pulled.shape}"
        )
