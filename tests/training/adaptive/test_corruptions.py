"""The pipe's filter, noise and cutout against SciPy and the paper; and the second derivative that R1 takes."""

from math import log, pi, sqrt

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from scipy.signal import freqz
from torch import Generator

from sitegen.training.adaptive.corrupting import cut_out, noisy
from sitegen.training.adaptive.filtering import bands, draw_strengths, filtered
from sitegen.training.adaptive.parts import PARTS, parts_of
from sitegen.training.adaptive.pipe import Pipe
from sitegen.training.adaptive.sampling import sampled
from sitegen.training.generator.losses import r1_penalty


def _source(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


def test_bands_are_those_of_the_wavelet_and_sum_up_to_the_image() -> None:
    found = bands().numpy()
    delta = np.zeros(43)
    delta[21] = 1
    np.testing.assert_allclose(found.sum(0), delta, atol=1e-15)
    np.testing.assert_array_equal(found, found[:, ::-1])
    # sym2 is Daubechies' wavelet of two vanishing moments, whose taps are known in closed form.
    taps = np.array([1 + sqrt(3), 3 + sqrt(3), 3 - sqrt(3), 1 - sqrt(3)]) / (4 * sqrt(2))
    high = taps[::-1] * [1, -1, 1, -1]
    np.testing.assert_allclose(found[3, 18:25], np.convolve(high, high[::-1]) / 2, atol=1e-15)


def test_each_band_lets_through_its_octave() -> None:
    middles = np.array([0, 3 / 16, 3 / 8, 1]) * pi
    gains = np.array([np.abs(freqz(taps, worN=middles)[1]) for taps in bands().numpy()])
    np.testing.assert_array_equal(gains.argmax(0), [0, 1, 2, 3])
    np.testing.assert_allclose(gains[0, 0], 1, atol=1e-12)  # grey stays grey, and the finest stays the finest
    np.testing.assert_allclose(gains[3, 3], 1, atol=1e-12)


def test_images_are_filtered_as_scipy_filters_them() -> None:
    images = torch.rand((2, 3, 32, 32), generator=_source(), dtype=torch.float64)
    torch.testing.assert_close(filtered(images, torch.ones(2, 4)), images, atol=1e-14, rtol=0)
    factors = torch.tensor([[1.0, 0.5, 2.0, 3.0], [2.0, 1.0, 0.1, 1.0]], dtype=torch.float64)
    made = filtered(images, factors).numpy()
    for at in range(2):
        taps = factors[at].numpy() @ bands().numpy()
        rows = convolve1d(images[at].numpy(), taps, axis=1, mode="mirror")
        np.testing.assert_allclose(made[at], convolve1d(rows, taps, axis=2, mode="mirror"), atol=1e-13)


def test_strengths_of_bands_are_the_papers() -> None:
    """Of 4000 draws: five in a hundred of a deviation are more than four standard errors."""
    factors = draw_strengths(4000, 1.0, _source()).double()
    # What all bands share falls out of a ratio, and the logarithms of two draws add up.
    assert float((factors[:, 3] / factors[:, 1]).log().std()) == pytest.approx(log(2) * sqrt(2), rel=0.05)
    once = draw_strengths(4000, 0.02, _source()).double()
    changed = (once != 1).any(1)
    assert abs(float(changed.double().mean()) - (1 - 0.98**4)) < 0.02
    # With one band changed, an image whose power is 10 : 1 : 1 : 1 keeps it.
    power = (once.square() * torch.tensor([10.0, 1, 1, 1]) / 13).sum(1)
    assert float(power.median()) == pytest.approx(1, abs=1e-6)
    assert torch.equal(draw_strengths(5, 0.0, _source()), torch.ones(5, 4))


def test_noise_has_a_half_normal_deviation() -> None:
    made = noisy(torch.zeros(2000, 1, 16, 16), 0.5, _source())
    deviations = made.std((1, 2, 3))
    happened = deviations > 0
    assert abs(float(happened.float().mean()) - 0.5) < 4 * 0.5 / sqrt(2000)
    assert float(deviations[happened].mean()) == pytest.approx(0.1 * sqrt(2 / pi), rel=0.08)
    assert float(deviations[happened].square().mean().sqrt()) == pytest.approx(0.1, rel=0.08)
    assert abs(float(made.mean())) < 1e-3


def test_a_square_of_half_the_side_is_cut_out() -> None:
    made = cut_out(torch.ones(2000, 2, 16, 16), 1.0, _source())
    assert set(made.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(made[:, 0], made[:, 1])
    areas = (made[:, 0] == 0).float().mean((1, 2))
    # Half the side but for what lies beyond the edge: 7/16 on average each way.
    assert float(areas.mean()) == pytest.approx((7 / 16) ** 2, rel=0.05)
    assert float(areas.max()) == 0.25
    whole = cut_out(torch.ones(2000, 1, 16, 16), 0.25, _source()).amin((1, 2, 3))
    assert abs(float((whole == 0).float().mean()) - 0.25) < 4 * sqrt(0.25 * 0.75 / 2000)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_sampling_has_first_and_second_derivatives(mode: str) -> None:
    images = torch.rand((2, 1, 5, 5), generator=_source(), dtype=torch.float64, requires_grad=True)
    places = torch.rand((2, 3, 4, 2), generator=_source(2), dtype=torch.float64) * 2.4 - 1.2
    assert torch.autograd.gradcheck(lambda given: sampled(given, places, mode), images)
    assert torch.autograd.gradgradcheck(lambda given: sampled(given, places, mode).square(), images)


def test_r1_goes_through_the_whole_pipe() -> None:
    """The pipe is affine in the images: its matrix, found image by image, gives the gradient and the penalty."""
    pipe, side, weights = Pipe(parts_of(PARTS)), 32, torch.rand((1, 1, 32, 32), generator=_source(3))

    def through(images: torch.Tensor) -> torch.Tensor:
        return torch.cat([pipe(each[None], 1.0, _source(4)) for each in images])

    at_zero = through(torch.zeros(1, 1, side, side))
    basis = torch.eye(side**2).reshape(-1, 1, side, side)
    matrix = (through(basis) - at_zero).flatten(1)  # [pixel before, pixel behind]
    image = torch.rand((1, 1, side, side), generator=_source(5))
    seen = through(image)
    slope = matrix @ (2 * weights * seen).flatten()  # of the sum of weights times squares
    factor = torch.ones((), requires_grad=True)
    penalty = r1_penalty(lambda given: factor * (weights * through(given).square()).sum((1, 2, 3)), image, gamma=2.0)
    assert float(penalty.detach()) == pytest.approx(float(slope.square().sum()), rel=1e-4)
    penalty.backward()
    assert factor.grad is not None and float(factor.grad) == pytest.approx(2 * float(penalty.detach()), rel=1e-5)
