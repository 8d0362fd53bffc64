"""Who opens no DICOM pays nothing for it."""

import subprocess
import sys

OTHERS = """
import sys
import sitegen_runtime.browser
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.images import picture, saved
for kind in ("PNG", "JPEG", "WEBP"):
    inspect_image(saved(picture(), kind))
inspected = [name for name in sys.modules if name.startswith("sitegen_runtime.formats.dicom")]
"""


def loaded(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_page_loads_nothing_of_it_at_its_start() -> None:
    program = (
        "import sys; import sitegen_runtime.browser\n"
        "print([name for name in sys.modules if 'dicom' in name or name in ('fractions', 'decimal')])"
    )
    assert loaded(program) == "[]"


def test_other_images_load_nothing_of_it() -> None:
    assert loaded(OTHERS + "print(inspected, 'imagecodecs' in sys.modules)") == "[] False"


def test_a_decoder_is_loaded_for_the_frames_that_need_it() -> None:
    program = (
        "import sys, numpy; from sitegen.prediction.pixels import shown_frame\n"
        "from sitegen_runtime.formats import inspect_image\n"
        "from tests.helpers.runtime.dicom_bytes import header, meta, pixels\n"
        "shown_frame(inspect_image(meta() + header(4, 4) + pixels(numpy.zeros((4, 4), numpy.uint16))))\n"
        "print('imagecodecs' in sys.modules)"
    )
    assert loaded(program) == "False"
