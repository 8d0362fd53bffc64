import torch

from sitegen.networks.densenet import DenseNet, DenseNetSettings


def test_densenet_121_has_the_weights_of_the_paper() -> None:
    network = DenseNet(DenseNetSettings(32, (6, 12, 24, 16), 64, 4, 0.5, 3, 1000))
    # Table 1 of the paper as torchvision builds it: 7,978,856 weights, these names.
    assert sum(weight.numel() for weight in network.parameters()) == 7_978_856
    names = set(network.state_dict())
    assert {
        "features.conv0.weight",
        "features.norm0.running_mean",
        "features.denseblock1.denselayer1.norm1.weight",
        "features.denseblock3.denselayer24.conv2.weight",
        "features.transition3.conv.weight",
        "features.norm5.bias",
        "classifier.weight",
    } <= names
    assert len(names) == 727


def test_a_classifier_gives_one_logit_a_label() -> None:
    network = DenseNet(DenseNetSettings(growth=4, blocks=(1, 1), stem=8, labels=5)).eval()
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 5)
