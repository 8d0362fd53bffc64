"""DICOM files: what a header says of its picture, where the cells lie, and what makes them grey.

Imported by the first file that needs it, and by nothing else: whoever opens no DICOM pays nothing.
"""
