"""The forms that a network's weights can be put into, to load less or to run faster."""

from typing import Literal

Weights = Literal["float", "half", "int8", "static-int8"]
Rounded = Literal["half", "int8"]
STATIC: Literal["static-int8"] = "static-int8"

WEIGHTS: dict[Weights, str] = {
    "float": "32 bits, as they were trained",
    "half": "16 bits a number",
    "int8": "8 bits a number and a scale for each channel; the arithmetic stays in float32",
    "static-int8": "8 bits a number, and the classifier computes with whole numbers",
}
"""Each form in words."""
