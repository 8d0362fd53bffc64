"""What exported graphs call their files, inputs and outputs; an output's name is also its role in the bundle."""

CLASSIFIER, GATE, FEATURES_GRAPH = "classifier.onnx", "gate.onnx", "features.onnx"
LOGITS, FEATURES = "logits", "features"
RECONSTRUCTION, LATENT = "reconstruction", "latent"
WHITENED, RESIDUAL = "whitened", "residual"
FINAL_WEIGHTS = "final.weights"

OUTPUTS = {
    "classifier": (LOGITS, FEATURES),
    "gate": (RECONSTRUCTION, LATENT),
    "features": (WHITENED, RESIDUAL),
}
"""What a graph of each role may give. Only the logits and the reconstruction are always there."""
