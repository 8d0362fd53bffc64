"""Normalisations of Keras in ONNX."""

import numpy as np

from sitegen.importing.keras.network import Step
from sitegen.importing.keras.rules import KerasWriter, check_last, checked, rule
from sitegen.importing.keras.stated import normalised_by


@rule("BatchNormalization")
def batch_normalisation(writer: KerasWriter, step: Step) -> None:
    """gamma · (x − mean) / √(variance + epsilon) + beta, along the last axis."""
    rank = writer.rank(step, 2, 4)
    check_last(step, rank)
    mean = checked(step, "moving_mean", [None])
    usual = {"gamma": np.ones_like(mean), "beta": np.zeros_like(mean)}
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    names = [writer.weight(step, role, {**usual, **step.weights}[role]) for role in roles]
    epsilon = step.layer.number("epsilon", 1e-3)
    if not (step.weights["moving_variance"] + epsilon > 0).all():
        raise step.layer.unsupported("its moving_variance and epsilon have a sum that is not above 0")
    if rank == 2:
        writer.write("BatchNormalization", [step.inputs[0], *names], step.name, epsilon=epsilon)
    else:
        writer.last(step, writer.write("BatchNormalization", [writer.first(step), *names], epsilon=epsilon))


@rule("Normalization")
def normalisation(writer: KerasWriter, step: Step) -> None:
    """(x − mean) / max(√variance, 1e-7), one number for each channel."""
    if step.layer.config.get("axis") not in (None, []):
        check_last(step, writer.rank(step))
    mean, deviation = normalised_by(step)
    away = writer.write("Sub", [step.inputs[0], writer.weight(step, "mean", mean)])
    writer.write("Div", [away, writer.weight(step, "deviation", deviation)], step.name)


@rule("LayerNormalization")
def layer_normalisation(writer: KerasWriter, step: Step) -> None:
    """gamma · (x − mean) / √(variance + epsilon) + beta, with mean and variance of each place, along the last axis."""
    check_last(step, writer.rank(step))
    if step.layer.flag("rms_scaling", False):
        raise step.layer.unsupported("rms_scaling is not known")
    count = next((len(values) for values in step.weights.values()), 0)
    if count == 0:
        raise step.layer.unsupported("it has neither gamma nor beta, which tell how many channels there are")
    usual = {"gamma": np.ones(count), "beta": np.zeros(count)}
    for role in step.weights:
        checked(step, role, [count])
    names = [writer.weight(step, role, {**usual, **step.weights}[role]) for role in usual]
    epsilon = step.layer.number("epsilon", 1e-3)
    writer.write("LayerNormalization", [step.inputs[0], *names], step.name, axis=-1, epsilon=epsilon)
