"""Losses and effects of concepts against formulas worked out another way."""

from array import array

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from sitegen.bundle import Bundle
from sitegen.evaluation.concepts.autoencoder import deep_loss, interpretability_loss, shallow_loss
from sitegen.evaluation.concepts.effects import INTERVENTIONS, Instrumented, image_effects
from sitegen.evaluation.concepts.fitting import fit_concepts, second_half
from sitegen.evaluation.concepts.layers import Cut
from sitegen.evaluation.concepts.settings import ConceptSettings
from sitegen.prediction import Predictor
from sitegen_runtime.interventions.maskings import draw_masks

SETTINGS = ConceptSettings(("nothing",), codes=3, hidden=6, epochs=8, steps=2, masks=2, batch=4, rate=1e-2)


class Unchanged(nn.Module):
    """Codes that are the layer's own channels."""

    def encode(self, layer: Tensor) -> Tensor:
        return layer

    def decode(self, codes: Tensor) -> Tensor:
        return codes


def images(count: int) -> list[array]:  # type: ignore[type-arg]
    rng = np.random.default_rng(1)
    return [array("f", rng.uniform(0, 1, 32 * 32).astype(np.float32).tobytes()) for _ in range(count)]


def linear_layer(bundle: Bundle) -> np.ndarray:
    model = onnx.load(str(bundle.folder / "classifier.onnx"))
    (found,) = [numpy_helper.to_array(each) for each in model.graph.initializer if each.name == "linear"]
    return np.asarray(found, np.float64)


def test_a_channel_set_to_zero_takes_its_part_of_every_logit(gradient_bundle: Bundle) -> None:
    cut, (image,) = Cut(gradient_bundle, "active"), images(1)
    whole = Instrumented(cut, Unchanged())  # type: ignore[arg-type]
    masks = draw_masks("pixels", (32, 32), 0.2, 2, 0)
    found = image_effects(whole, Predictor(gradient_bundle), image, masks, SETTINGS)
    layer = cut.front(np.frombuffer(image, np.float32)).astype(np.float64)[0]
    parts = layer.mean(axis=(1, 2))[:, None] * linear_layer(gradient_bundle)  # [channels, labels]
    assert found.logit.shape == (len(INTERVENTIONS), 8, 3)
    np.testing.assert_allclose(found.logit[0], -parts, atol=1e-5)
    logits = cut.back(layer[None].astype(np.float32))
    expected = 1 / (1 + np.exp(parts - logits)) - 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(found.probability[0], expected, atol=1e-5)
    assert found.moved < 1e-6
    # Where a channel is zero, masking moves what the other channels add, and no more.
    changed = []
    for mask in masks:
        black = np.where(np.frombuffer(mask, np.uint8), 0, np.frombuffer(image, np.float32))
        after = cut.front(black.astype(np.float32)).astype(np.float64)[0].mean(axis=(1, 2))
        changed.append((after - layer.mean(axis=(1, 2)))[:, None] * linear_layer(gradient_bundle))
    total = np.mean(changed, axis=0)
    np.testing.assert_allclose(found.logit[1], total.sum(axis=0) - total, atol=1e-5)


def test_the_deep_loss_is_a_sum_of_bernoulli_divergences() -> None:
    original, logits = torch.randn(4, 3).double(), torch.randn(4, 3).double().requires_grad_()
    of = torch.distributions.Bernoulli
    expected = torch.distributions.kl_divergence(of(logits=original), of(logits=logits)).sum(1).mean()
    found = deep_loss(logits, original)
    assert found.item() == pytest.approx(expected.item())
    (slope,) = torch.autograd.grad(found, logits)
    torch.testing.assert_close(slope, (logits.sigmoid() - original.sigmoid()).detach() / 4)
    assert deep_loss(original, original).item() == pytest.approx(0)


def test_codes_that_say_the_same_cost_what_sparse_and_different_ones_do_not() -> None:
    one = torch.rand(2, 1, 4, 4)
    assert interpretability_loss(torch.cat([one, one], 1)).item() == pytest.approx(one.mean().item() + 1, abs=1e-4)
    apart = torch.tensor([[[[1.0, 0.0, 1.0, 0.0]], [[1.0, 1.0, 0.0, 0.0]]]])
    assert interpretability_loss(apart).item() == pytest.approx(0.5, abs=1e-6)
    assert shallow_loss(torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, -3.0]]]]), torch.tensor(2.0)).item() == 1.0


def test_gradients_pass_through_the_classifiers_second_half(gradient_bundle: Bundle) -> None:
    cut = Cut(gradient_bundle, "active")
    layer = torch.rand(2, *cut.shape[1:], requires_grad=True)
    weights = torch.tensor([[1.0, 0.0, -2.0], [0.0, 3.0, 0.0]])
    (slope,) = torch.autograd.grad((second_half(layer, cut) * weights).sum(), layer)
    expected = weights.double() @ torch.from_numpy(linear_layer(gradient_bundle)).T / (cut.shape[2] * cut.shape[3])
    torch.testing.assert_close(slope, expected.float()[:, :, None, None].expand_as(slope), rtol=1e-4, atol=1e-6)


def test_fitting_lowers_the_losses_and_comes_again(gradient_bundle: Bundle) -> None:
    cut = Cut(gradient_bundle, "active")
    layers = [cut.front(np.frombuffer(image, np.float32)) for image in images(8)]
    fitted = fit_concepts(cut, layers, SETTINGS)
    first, last = fitted.history[0], fitted.history[-1]
    assert last["total"] < first["total"]
    assert last["deep"] < first["deep"]
    parts = SETTINGS.shallow * last["shallow"] + SETTINGS.deep * last["deep"]
    assert last["total"] == pytest.approx(parts + SETTINGS.interpretability * last["interpretability"], rel=1e-4)
    assert fit_concepts(cut, layers, SETTINGS).history == fitted.history
