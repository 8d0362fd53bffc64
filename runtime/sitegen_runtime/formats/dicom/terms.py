"""Words for what headers say in codes: kinds of images, parts of the body, views.

A file may hold anything in the place of a code, a name for instance. So what people read is a word of these tables, or
nothing: never the file's own text.
"""

import re
from collections.abc import Mapping

MODALITIES: dict[str, str] = {
    "CR": "computed radiography (CR)",
    "DX": "digital radiography (DX)",
    "RG": "radiographic imaging (RG)",
    "SC": "secondary capture (SC)",
    "OT": "other (OT)",
    "BMD": "bone densitometry (BMD)",
    "CT": "computed tomography (CT)",
    "DG": "diaphanography (DG)",
    "ECG": "electrocardiography (ECG)",
    "ES": "endoscopy (ES)",
    "GM": "microscopy (GM)",
    "IO": "intraoral radiography (IO)",
    "IVUS": "intravascular ultrasound (IVUS)",
    "MG": "mammography (MG)",
    "MR": "magnetic resonance (MR)",
    "NM": "nuclear medicine (NM)",
    "OCT": "optical coherence tomography (OCT)",
    "OP": "ophthalmic photography (OP)",
    "PT": "positron emission tomography (PT)",
    "PX": "panoramic radiography of teeth (PX)",
    "RF": "fluoroscopy (RF)",
    "RTDOSE": "a dose of radiotherapy (RTDOSE)",
    "RTIMAGE": "an image of radiotherapy (RTIMAGE)",
    "SEG": "a segmentation (SEG)",
    "SM": "slide microscopy (SM)",
    "US": "ultrasound (US)",
    "XA": "angiography (XA)",
    "XC": "photography (XC)",
}
"""Modality, (0008,0060): PS3.3, C.7.3.1.1.1."""

BODY_PARTS: dict[str, str] = {
    "ABDOMEN": "the abdomen",
    "ANKLE": "the ankle",
    "ARM": "the arm",
    "BREAST": "the breast",
    "CALCANEUS": "the heel",
    "CHEST": "the chest",
    "CLAVICLE": "the collar bone",
    "CSPINE": "the cervical spine",
    "ELBOW": "the elbow",
    "EXTREMITY": "an extremity",
    "FEMUR": "the thigh",
    "FINGER": "a finger",
    "FOOT": "the foot",
    "FOREARM": "the forearm",
    "HAND": "the hand",
    "HEAD": "the head",
    "HEART": "the heart",
    "HIP": "the hip",
    "HUMERUS": "the upper arm",
    "JAW": "the jaw",
    "KNEE": "the knee",
    "LEG": "the leg",
    "LSPINE": "the lumbar spine",
    "LUNG": "the lungs",
    "LUNGS": "the lungs",
    "NECK": "the neck",
    "PELVIS": "the pelvis",
    "RIB": "the ribs",
    "RIBS": "the ribs",
    "SCAPULA": "the shoulder blade",
    "SHOULDER": "the shoulder",
    "SKULL": "the skull",
    "SPINE": "the spine",
    "STERNUM": "the breast bone",
    "THORAX": "the chest",
    "TOE": "a toe",
    "TORAX": "the chest",
    "TSPINE": "the thoracic spine",
    "WHOLEBODY": "the whole body",
    "WRIST": "the wrist",
}
"""Body Part Examined, (0018,0015): the more usual ones of PS3.16, annex L."""

NO_BODY_PARTS = frozenset({"UNKNOWN", "UNSPECIFIED", "NONE", "NA", "NULL", "OTHER"})
"""What stands there where nobody said it."""

_FRONT, _BACK, _SIDE = "from the front (AP)", "from the back (PA)", "from the side"
_LYING, _OBLIQUE = "with the patient lying on the side", "obliquely"
VIEWS: dict[str, str] = {
    "AP": _FRONT,
    "PA": _BACK,
    **dict.fromkeys(("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT"), _SIDE),
    **dict.fromkeys(("LLD", "RLD", "DECUB", "DECUBITUS"), _LYING),
    **dict.fromkeys(("LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "OBL", "OBLIQUE"), _OBLIQUE),
    "AXIAL": "along the body's axis",
    "SWIMMERS": "past a raised arm",
    "CC": "from above (CC)",
    "MLO": "obliquely from the middle (MLO)",
    "ML": "from the middle (ML)",
    "LM": "towards the middle (LM)",
}
"""View Position, (0018,5101), as files have it: the terms of PS3.3, C.8.7.1, C.8.11.5 and C.8.11.7, and some others."""

DIRECTIONS: dict[str, str] = {
    "R": "right side",
    "L": "left side",
    "A": "front",
    "P": "back",
    "H": "head",
    "F": "feet",
}
"""The first letters of Patient Orientation, (0020,0020): PS3.3, C.7.6.1.1.1."""

SIDES: dict[str, str] = {"R": "the right side", "L": "the left side", "B": "both sides"}
"""Laterality, (0020,0060), and Image Laterality, (0020,0062)."""

_BLANKS = re.compile("[ _]+")


def words_in(code: str) -> frozenset[str]:
    """Return a code string's words, and the whole of it."""
    return frozenset((*_BLANKS.split(code), code)) - {""}


def known_word(code: str, table: Mapping[str, str]) -> str:
    """Return a code string, or else the first of its words, that is in a table; else ""."""
    return next((word for word in (code, *_BLANKS.split(code)) if word in table), "")


def said(code: str, table: Mapping[str, str]) -> str:
    """Return the words of a table for a code string, or for the first of its words that is in there; else ""."""
    return table.get(known_word(code, table), "")
