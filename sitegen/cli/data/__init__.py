"""`sitegen data`: what a data set holds, and what is done to it before anything is trained on it."""

import typer

from sitegen.cli.data.audit import audit
from sitegen.cli.data.preview import preview
from sitegen.cli.data.split import split
from sitegen.cli.data.unpack import unpack

data = typer.Typer(
    help="Look at data sets of images: sitegen's own layout, ChestX-ray14, PadChest, MURA, DICOM, a folder a class, a "
    "CSV. Divide them by patient.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for verb in (audit, split, preview, unpack):
    data.command()(verb)
