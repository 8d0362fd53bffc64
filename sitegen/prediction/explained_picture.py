"""The picture of an explanation, as `sitegen explain` writes it: the words below the image, and a text inside the file,
say what it shows.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sitegen.prediction.overlay import explained_image, with_legend
from sitegen_runtime.explanation import Explained
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.page_maps import words_of_map
from sitegen_runtime.pixels.grids import Shape

_KEPT = ("image", "bundle", "engine", "correction", "forced")


@dataclass(frozen=True)
class ExplainedPicture:
    """The first map of an image: the file's bytes, what was found of it, and the grid of what the classifier sees."""

    data: bytes
    explained: Explained
    grid: Shape  # rows and columns of cells

    @property
    def words(self) -> dict[str, Any]:
        """What `describe_map` says of the map; the image is called by its file's name, without folders."""
        image = self.explained.document["image"]
        named = self.explained.document | {"image": image | {"name": Path(image["name"]).name}}
        return words_of_map(replace(self.explained, document=named), self.explained.maps[0])

    def drawn(self, look: Look) -> Image.Image:
        """Return the upright image (RGB) with the map over what the classifier saw."""
        return explained_image(self.data, self.explained, self.explained.maps[0], self.grid, look)

    def legended(self, look: Look) -> Image.Image:
        """Return the same with words and the scale of colours below."""
        scale = None if self.is_empty else look
        return with_legend(self.drawn(look), self.words["saved"]["lines"], scale)

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the map is above 0, so that no colour is drawn; `words["place"]` says so."""
        return max(self.explained.maps[0].values, default=0.0) <= 0.0

    def save(self, out: Path, look: Look) -> None:
        """Write that as a PNG file, whose text "sitegen.explanation" says as JSON what it shows."""
        document = self.explained.document
        fields: dict[str, Any] = {key: value for key, value in document.items() if key in _KEPT}
        fields |= document["explanations"][0]
        notes = PngInfo()
        said = {"place": self.words["place"], "look": vars(look)}
        notes.add_itxt("sitegen.explanation", json.dumps(fields | said))
        out.parent.mkdir(parents=True, exist_ok=True)
        self.legended(look).save(out, "PNG", pnginfo=notes)
