"""What is usual for a network's input where its file does not say how pixels become numbers."""

from sitegen.importing.settings import ImportSettings
from sitegen.settings.recipe import ImageSettings
from sitegen_runtime.bundle.model import NetworkInput

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of torchvision's and most colour networks


def usual_image(channels: int, side: int = 224) -> ImageSettings:
    """Return ImageNet's numbers for three channels, and 0 to 1 for one; all of the centred square."""
    if channels == 3:
        return ImageSettings(side, "rgb", 1.0, (0.0, 1.0), IMAGENET_MEAN, IMAGENET_STD)
    return ImageSettings(side, "grey", 1.0, (0.0, 1.0))


def as_settings(image: NetworkInput) -> ImageSettings:
    """Return the settings that `network_input` makes an input of."""
    return ImageSettings(
        image.grid[0] if image.grid[0] == image.grid[1] else image.grid,
        "rgb" if image.colour == "rgb" else "grey",
        image.fraction,
        image.range,
        image.mean,
        image.std,
        image.fit,
        image.fill or (0.0,),
    )


def assumed(settings: ImportSettings, image: ImageSettings) -> list[str]:
    """Return a sentence on what nobody said of the input, and was taken as usual; nothing where all was said."""
    fields = ("side", "colour", "fraction", "range", "mean", "std")
    taken = [f"{name} {_plain(getattr(image, name))}" for name in fields if name not in settings.image]
    if not taken:
        return []
    return [
        f"The file does not say how images become numbers. Taken was what is usual: {', '.join(taken)}. If the "
        "model was trained with other numbers, say them under [image]: its results are wrong otherwise."
    ]


def _plain(value: object) -> str:
    return " ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else str(value)
