"""What a gradient costs beside a prediction, in headless Chromium and without a browser, on one thread.

    python benchmarks/gradients.py [--rounds 20] [--slow-rounds 3] [--browsers 5] [--json FILE] [--chart FILE]

The network is DenseNet-121 with one channel, 224 x 224, 18 outputs and random weights; every engine has the same ones, and
their results are compared before anything is timed. In each round every condition runs once, so that a drift of the
machine meets all alike; ratios are taken within a round. TensorFlow.js takes part in fewer rounds where it needs many
seconds for one gradient. In the end each arrangement of sessions gets fresh browsers of its own, for what making it
takes, and its memory.
"""

import argparse
import contextlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from rich.console import Console
from rich.progress import Progress
from selenium.webdriver import Chrome

import browser_engines as browser
import densenet_files as files
from bar_chart import Bar, bar_chart
from native_engines import NativeOnnxRuntime, PyTorch
from samples import Rounds
from session_memory import ARRANGEMENTS, TENSORFLOW, Run, measure_sessions, measure_tensorflow

FORWARD, GRADIENT = "forward", "forward + gradient"
_BACKENDS = {"wasm": "WASM", "webgl": "WebGL", "cpu": "JavaScript"}
