"""Kinds of DICOM objects (SOP classes): which modality they are of, and what those without a picture are called."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."

_MODALITIES: dict[str, str] = {
    "1": "CR",
    "1.1": "DX",
    "1.2": "MG",
    "1.3": "IO",
    "2": "CT",
    "3": "US",
    "4": "MR",
    "5": "NM",
    "6": "US",
    "7": "SC",
    "12.1": "XA",
    "12.2": "RF",
    "13.1.1": "XA",
    "13.1.3": "MG",
    "20": "NM",
    "77.1": "XC",
    "128": "PT",
    "130": "PT",
    "481.1": "RTIMAGE",
    "481.2": "RTDOSE",
}
"""The beginnings of UIDs below `_STORAGE` (PS3.4, B.5), and the modality that such objects are of."""

_WITHOUT_PICTURE: dict[str, str] = {
    "9": "a waveform, such as an ECG",
    "11": "a presentation state: it says how another file is to be shown",
    "66": "a segmentation or a registration",
    "88": "a report",
    "104.1": "a PDF document in DICOM's wrapping",
    "104": "a document in DICOM's wrapping",
    "481": "a plan of radiotherapy",
}

_FOR_PROCESSING = ("1.1.1", "1.2.1", "1.3.1")


def modality_of(uid: str) -> str:
    """Return the modality of a SOP class; "" for one that is not known here."""
    return _longest(uid, _MODALITIES)


def without_picture(uid: str) -> str:
    """Return what objects of a SOP class are, with the article, where they hold no picture; else ""."""
    return _longest(uid, _WITHOUT_PICTURE)


def is_for_processing(uid: str) -> bool:
    """Whether objects of a SOP class wait for processing, and are not made to be looked at."""
    return uid.removeprefix(_STORAGE) in _FOR_PROCESSING


def _longest(uid: str, table: dict[str, str]) -> str:
    parts = uid.removeprefix(_STORAGE).split(".") if uid.startswith(_STORAGE) else []
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((table[each] for each in beginnings if each in table), "")
