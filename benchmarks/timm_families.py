"""Families of timm with random weights at small sizes, imported: what comes out beside what timm gives.

    python benchmarks/timm_families.py --rows FILE [--again] [FAMILY …]

Appends a row for each family, or for those that are named, to FILE, JSON by lines; what stands there is passed over but
with --again. Then prints all that there are as a table in Markdown, and how many were refused. Each family is imported
in a process of its own, for 400 seconds of the processor at most. Needs timm, with torchvision.
"""

import argparse
import json
import multiprocessing
import re
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

# Family: a small network of it, and a side. Networks with windows or fixed numbers of places take their own.
SMALLER: dict[str, dict[str, Any]] = {  # families without a small network get one of two layers
    "BEiT": {"depth": 2, "embed_dim": 192, "num_heads": 3},
    "CaiT": {"depth": 4},
    "XCiT": {"depth": 4},
    "Twins": {"depths": (1, 1, 2, 1)},
    "Swin": {"depths": (1, 1, 2, 1), "embed_dim": 48},
    "Swin V2": {"depths": (1, 1, 2, 1), "embed_dim": 48},
    "DaViT": {"depths": (1, 1, 1, 1)},
    "VGG": {"mlp_ratio": 0.0625},
}
FAMILIES = {
    "BEiT": ("beit_base_patch16_224", 64),
    "BotNet": ("botnet26t_256", 256),
    "CaiT": ("cait_xxs24_224", 64),
    "CoaT": ("coat_tiny", 64),
    "CoAtNet": ("coatnet_pico_rw_224", 224),
    "ConViT": ("convit_tiny", 224),
    "ConvMixer": ("convmixer_1024_20_ks9_p14", 56),
    "ConvNeXt": ("convnext_atto", 64),
    "CrossViT": ("crossvit_tiny_240", 240),
    "CSPNet": ("cs3darknet_s", 64),
    "DaViT": ("davit_tiny", 64),
    "DeiT": ("deit_tiny_patch16_224", 64),
    "DeiT, distilled": ("deit_tiny_distilled_patch16_224", 64),
    "DenseNet": ("densenet121", 64),
    "DLA": ("dla34", 64),
    "DPN": ("dpn48b", 64),
    "EdgeNeXt": ("edgenext_xx_small", 64),
    "EfficientFormer": ("efficientformer_l1", 224),
    "EfficientFormerV2": ("efficientformerv2_s0", 224),
    "EfficientNet": ("efficientnet_b0", 64),
    "EfficientNetV2": ("tf_efficientnetv2_b0", 64),
    "EfficientViT (MIT)": ("efficientvit_b0", 64),
    "EfficientViT (MSRA)": ("efficientvit_m0", 224),
    "EVA-02": ("eva02_tiny_patch14_224", 56),
    "FasterNet": ("fasternet_t0", 64),
    "FastViT": ("fastvit_t8", 64),
    "FocalNet": ("focalnet_tiny_srf", 64),
    "GCViT": ("gcvit_xxtiny", 224),
    "GhostNet": ("ghostnet_050", 64),
    "HardCoRe-NAS": ("hardcorenas_a", 64),
    "HGNetV2": ("hgnetv2_b0", 64),
    "Hiera": ("hiera_tiny_224", 224),
    "HRNet": ("hrnet_w18_small", 64),
    "Inception v3": ("inception_v3", 96),
    "Inception v4": ("inception_v4", 96),
    "InceptionNeXt": ("inception_next_atto", 64),
    "LeViT": ("levit_128s", 224),
    "MambaOut": ("mambaout_femto", 64),
    "MaxViT": ("maxvit_pico_rw_256", 256),
    "MLP-Mixer": ("mixer_s32_224", 64),
    "MobileNetV2": ("mobilenetv2_050", 64),
    "MobileNetV3": ("mobilenetv3_small_050", 64),
    "MobileNetV4": ("mobilenetv4_conv_small_050", 64),
    "MobileOne": ("mobileone_s0", 64),
    "MobileViT": ("mobilevit_xxs", 64),
    "MViTv2": ("mvitv2_tiny", 64),
    "NesT": ("nest_tiny_jx", 224),
    "NextViT": ("nextvit_small", 64),
    "NFNet": ("nf_resnet26", 64),
    "PiT": ("pit_ti_224", 224),
    "PoolFormer": ("poolformer_s12", 64),
    "PVTv2": ("pvt_v2_b0", 64),
    "RegNet": ("regnetx_002", 64),
    "RepVGG": ("repvgg_a0", 64),
    "RepViT": ("repvit_m0_9", 64),
    "Res2Net": ("res2net50_26w_4s", 64),
    "ResNeSt": ("resnest14d", 64),
    "ResNet": ("resnet18", 64),
    "ResNetV2": ("resnetv2_18", 64),
    "ReXNet": ("rexnet_100", 64),
    "SENet": ("legacy_seresnet18", 64),
    "StarNet": ("starnet_s050", 64),
    "Swin": ("swin_tiny_patch4_window7_224", 224),
    "Swin V2": ("swinv2_tiny_window8_256", 256),
    "TinyViT": ("tiny_vit_5m_224", 224),
    "Twins": ("twins_pcpvt_small", 64),
    "VGG": ("vgg11_bn", 64),
    "Visformer": ("visformer_tiny", 224),
    "ViT": ("vit_tiny_patch16_224", 64),
    "VOLO": ("volo_d1_224", 224),
    "VoVNet": ("ese_vovnet19b_slim_dw", 64),
    "Xception": ("xception41", 96),
    "XCiT": ("xcit_nano_12_p16_224", 64),
}
LABELS = ("A", "B", "C")
SECONDS = 400
_HEAD = (
    "| family | network | side | weights | logits, from PyTorch | probabilities, from timm | gradients, from PyTorch "
    "| CPU |\n|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Import what has no row yet, and print the table."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--rows", type=Path, required=True)
    reader.add_argument("--again", action="store_true")
    reader.add_argument("families", nargs="*")
    given = reader.parse_args()
    rows = _read(given.rows)
    for family in given.families or FAMILIES:
        if family not in rows or given.again:
            rows[family] = _in_a_process(family)
            with given.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[family]) + "\n")
    print(_HEAD)
    made = [rows[family] for family in FAMILIES if family in rows]
    print(*map(_line, made), sep="\n")
    print(f"\n{len(made)} families of {len(FAMILIES)}, {sum('refused' in row for row in made)} refused")


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """The rows of a file by family; the last of each stands."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return {row["family"]: row for row in map(json.loads, lines)}


def _in_a_process(family: str) -> dict[str, Any]:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_sent, args=(sender, family))
    process.start()
    sender.close()
    try:
        row = receiver.recv()
    except EOFError:  # the limit ended it, or too little memory
        row = {"refused": f"no result within {SECONDS} s"}
    process.join()
    name, side = FAMILIES[family]
    return {"family": family, "network": name, "side": side, **row}


def _sent(sender: Any, family: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    begun = time.process_time()
    try:
        row = _imported(family)
    except Exception as error:  # whatever it is, it is the row
        row = {"refused": f"{type(error).__name__}: {error}", "seconds": time.process_time() - begun}
    sender.send(row)
    sender.close()


def _randomised(name: str, side: int, smaller: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A network whose normalisations are not those of the first step of a training, and how it was asked for."""
    import timm
    import torch

    torch.manual_seed(7)
    given = {"num_classes": len(LABELS), **smaller}
    arguments = dict(smaller)
    if side != timm.get_pretrained_cfg(name).input_size[1]:
        try:
            network = timm.create_model(name, **given, img_size=side)
            arguments["img_size"] = side
        except TypeError:  # it takes any
            network = timm.create_model(name, **given)
    else:
        network = timm.create_model(name, **given)
    with torch.no_grad():
        for module in network.modules():
            mean, variance = (getattr(module, f"running_{name}", None) for name in ("mean", "var"))
            if mean is not None and variance is not None:
                mean.normal_(0, 0.2)
                variance.uniform_(0.5, 2)
        if isinstance(head := network.get_classifier(), torch.nn.Linear):
            head.weight.normal_(0, 1 / head.in_features**0.5)
    return network.eval(), arguments


def written(family: str, folder: Path) -> Any:
    """Write a family's network as a folder of timm, and return it, in evaluation."""
    from safetensors.torch import save_file

    name, side = FAMILIES[family]
    network, arguments = _randomised(name, side, SMALLER.get(family, {}))
    folder.mkdir()
    weights = {key: value.contiguous().clone() for key, value in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    usual = {key: value for key, value in network.pretrained_cfg.items() if key in ("mean", "std", "interpolation")}
    config = {
        "architecture": name,
        "num_classes": len(LABELS),
        "model_args": arguments,
        "label_names": LABELS,
        "pretrained_cfg": {**usual, "input_size": [3, side, side], "crop_pct": 1.0},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return network


def _imported(family: str) -> dict[str, Any]:
    import torch

    from sitegen.importing.bundle import import_bundle
    from sitegen.importing.settings import ImportSettings
    from sitegen.importing.sources.timm_folder import import_timm

    with TemporaryDirectory() as place:
        network = written(family, Path(place) / "model")
        begun = time.process_time()
        read = import_timm(Path(place) / "model", ImportSettings())
        out = Path(place) / "bundle"
        made = import_bundle(read, out, ImportSettings(), gate=None, images=[], report=None, force=True)
        spent = time.process_time() - begun
        apart = _apart(network, out / "classifier.onnx", FAMILIES[family][1])
    proof = made.proof
    return {
        "parameters": sum(value.numel() for value in network.parameters()),
        "logits": proof.largest,
        "float32": proof.float32,
        "probabilities": apart,
        "gradients": proof.gradients.largest if proof.gradients else None,
        "seconds": spent,
        "torch": torch.__version__,
        "remarks": [remark for remark in made.document["remarks"] if "gradient" in remark or "map" in remark],
    }


def _apart(network: Any, graph: Path, side: int) -> float:
    """The largest difference of a probability from timm's own, on noise."""
    import torch

    from sitegen.graphs.session import open_session

    given = np.random.default_rng(1).standard_normal((4, 3, side, side), np.float32)
    session = open_session(graph)
    made = np.concatenate([session.run(["logits"], {"image": each[np.newaxis]})[0] for each in given])
    with torch.no_grad():
        wanted = torch.cat([network(torch.from_numpy(each[np.newaxis])) for each in given]).double().softmax(1).numpy()
    return float(np.abs(1 / (1 + np.exp(-made.astype(np.float64))) - wanted).max())


def _line(row: dict[str, Any]) -> str:
    begun = f"| {row['family']} | `{row['network']}` | {row['side']} |"
    if "refused" in row:
        reason = re.sub(r"\s+", " ", row["refused"]).replace("|", "\\|")
        return f"{begun} refused: {reason} | | | | |"
    gradients = "none" if row["gradients"] is None else f"{row['gradients']:.1e}"
    logits = f"{row['logits']:.1e}" + (f" (float32 {row['float32']:.0e})" if row["float32"] else "")
    return (
        f"{begun} {row['parameters'] / 1e6:.1f} M | {logits} | {row['probabilities']:.1e} | {gradients} | "
        f"{row['seconds']:.0f} s |"
    )


if __name__ == "__main__":
    main()
