"""From files as they come to images for a study: windows, slices, sizes, noise, blur, halves.

sources.py         which files there are: in folders, and in the archives in them
work.py            all of them through one change: shared by processes, resumed, bad files reported
document_types.py  what the document says of a prepared folder
pictures.py        a file as an array of greys or colours, and back
windows.py         from values to greys
volumes.py         NIfTI: slices of a volume, and the mask that touches them
changes.py         what the verbs of `sitegen data` do to one file
halves.py          which file goes into which random half
"""
