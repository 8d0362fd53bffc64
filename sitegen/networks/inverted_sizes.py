"""The published shapes of networks of inverted residuals, for images of three channels."""

from typing import Literal

from sitegen.networks.inverted import Activation, InvertedSettings, StageSettings

Row = tuple[Literal[3, 5], Literal[1, 2], int, int, int]  # kernel, stride, width, expansion, blocks
WideRow = tuple[Literal[3, 5], Literal[1, 2], int, tuple[int, ...], bool, Activation]


def _stages(stem: int, rows: tuple[Row, ...]) -> tuple[StageSettings, ...]:
    """Stages whose blocks widen what they are given by a factor."""
    before, stages = stem, []
    for kernel, stride, width, expansion, blocks in rows:
        expanded = (before * expansion, *(width * expansion for _ in range(blocks - 1)))
        stages.append(StageSettings(kernel, stride, width, expanded))
        before = width
    return tuple(stages)


# MobileNetV2, table 2.
MOBILENET_V2 = InvertedSettings(
    _stages(
        32,
        (
            (3, 1, 16, 1, 1),
            (3, 2, 24, 6, 2),
            (3, 2, 32, 6, 3),
            (3, 2, 64, 6, 4),
            (3, 1, 96, 6, 3),
            (3, 2, 160, 6, 3),
            (3, 1, 320, 6, 1),
        ),
    ),
    channels=3,
)

# EfficientNet, table 1, without its squeeze-and-excite; "same" padding and epsilon are those it was trained with.
EFFICIENTNET_LITE0 = InvertedSettings(
    _stages(
        32,
        (
            (3, 1, 16, 1, 1),
            (3, 2, 24, 6, 2),
            (5, 2, 40, 6, 2),
            (3, 2, 80, 6, 3),
            (5, 1, 112, 6, 3),
            (5, 2, 192, 6, 4),
            (3, 1, 320, 6, 1),
        ),
    ),
    padding="same",
    epsilon=1e-3,
    channels=3,
)

# MobileNetV3, tables 1 and 2.
MOBILENET_V3_LARGE = InvertedSettings(
    tuple(
        StageSettings(*row)
        for row in (
            (3, 1, 16, (16,), False, "relu"),
            (3, 2, 24, (64, 72), False, "relu"),
            (5, 2, 40, (72, 120, 120), True, "relu"),
            (3, 2, 80, (240, 200, 184, 184), False, "hard-swish"),
            (3, 1, 112, (480, 672), True, "hard-swish"),
            (5, 2, 160, (672, 960, 960), True, "hard-swish"),
        )
    ),
    stem=16,
    last=960,
    activation="hard-swish",
    epsilon=1e-3,
    channels=3,
)
MOBILENET_V3_SMALL = InvertedSettings(
    tuple(
        StageSettings(*row)
        for row in (
            (3, 2, 16, (16,), True, "relu"),
            (3, 2, 24, (72, 88), False, "relu"),
            (5, 2, 40, (96, 240, 240), True, "hard-swish"),
            (5, 1, 48, (120, 144), True, "hard-swish"),
            (5, 2, 96, (288, 576, 576), True, "hard-swish"),
        )
    ),
    stem=16,
    last=576,
    activation="hard-swish",
    epsilon=1e-3,
    channels=3,
)
