"""`sitegen data`: what a data set holds, and what is done to it before anything is trained on it."""

import typer

from sitegen.cli.data.audit import audit
from sitegen.cli.data.degrade import blur, noise
from sitegen.cli.data.halves import halves
from sitegen.cli.data.preview import preview
from sitegen.cli.data.resize import resize
from sitegen.cli.data.slices import slices
from sitegen.cli.data.split import split
from sitegen.cli.data.unpack import unpack
from sitegen.cli.data.window import window

data = typer.Typer(
    help="Look at data sets of images: sitegen's own layout, ChestX-ray14, PadChest, MURA, MIDRC, DICOM, a folder a "
    "class, a CSV. Divide them by patient. Prepare files: windows, slices, sizes, noise, blur, halves.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for verb in (audit, split, preview, unpack, window, slices, resize, noise, blur, halves):
    data.command()(verb)
