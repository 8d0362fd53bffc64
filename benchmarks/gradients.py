"""What a gradient costs beside a prediction, in headless Chromium and without a browser, on one thread.

    python benchmarks/gradients.py [--rounds 20] [--slow-rounds 3] [--browsers 5] [--json FILE] [--chart FILE]

The network is DenseNet-121 with one channel, 224 x 224, 18 outputs and random weights; every engine has the same ones, and
their results are compared before anything is timed. In each round every condition runs once, so that a drift of the
machine meets all alike; ratios are taken within a round. TensorFlow.js takes part in fewer rounds where it needs many
seconds for one gradient. In the end each arrangement of sessions gets fresh browsers of its own, for what making it
takes, and its memory.
"""




FORWARD, GRADIENT = "forward", "forward + gradient"
_BACKENDS = {"wasm": "WASM", "webgl": "WebGL", "cpu": "JavaScript"}
