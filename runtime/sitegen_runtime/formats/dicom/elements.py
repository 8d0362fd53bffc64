"""The elements of a DICOM file that are read: how its picture looks, and what it is of. All others stay bytes.

None of them identifies anyone, as PS3.15 (table E.1-1) sees it. Files may put anything anywhere all the same, so none
is shown but as a number, or as a word that `terms` knows.
"""

PIXELS = 0x7FE00010
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
MODALITY_LUT = 0x00283000
VOI_LUT = 0x00283010
TRANSFER_SYNTAX = 0x00020010

ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD

WANTED: dict[int, str] = {
    0x00080016: "SOPClassUID",
    0x00080060: "Modality",
    0x00080068: "PresentationIntentType",
    0x00180015: "BodyPartExamined",
    0x00185101: "ViewPosition",
    0x00200020: "PatientOrientation",
    0x00200060: "Laterality",
    0x00200062: "ImageLaterality",
    0x00280002: "SamplesPerPixel",
    0x00280004: "PhotometricInterpretation",
    0x00280006: "PlanarConfiguration",
    0x00280008: "NumberOfFrames",
    0x00280010: "Rows",
    0x00280011: "Columns",
    0x00280034: "PixelAspectRatio",
    0x00280100: "BitsAllocated",
    0x00280101: "BitsStored",
    0x00280102: "HighBit",
    0x00280103: "PixelRepresentation",
    0x00280120: "PixelPaddingValue",
    0x00280121: "PixelPaddingRangeLimit",
    0x00280301: "BurnedInAnnotation",
    0x00281050: "WindowCenter",
    0x00281051: "WindowWidth",
    0x00281052: "RescaleIntercept",
    0x00281053: "RescaleSlope",
    0x00281056: "VOILUTFunction",
    0x00282110: "LossyImageCompression",
}
"""Tags, and the names that PS3.6 gives them."""

IN_TABLES: dict[int, str] = {0x00283002: "LUTDescriptor", 0x00283006: "LUTData"}
"""What is read of an item of the two sequences of tables."""

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Value representations whose length has 16 bits; of all others, future ones too, it has 32 (PS3.5, 7.1.2)."""
