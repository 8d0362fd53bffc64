"""Prediction in CPython: the runtime's analysis, driven with Pillow and native ONNX Runtime.

Predictor(bundle).predict(path)            a result document
Predictor(bundle).analyse(data, name)      the same for bytes, with the reconstruction errors
Predictor(bundle).gradient(image, seed)    the gradient of weighted logits, with its document
Predictor(bundle).explain(image, wanted)   maps of where the classifier looked, with the result document
"""

from sitegen.prediction.predictor import Predictor

__all__ = ["Predictor"]
