"""Words of the page's what-if tool, and of what a report says of it. What stands in braces the page fills in."""

# What an intervention is called, and what its buttons do; braces hold its number.
REGION = {
    "name": "Region {number}",
    "show": "Mark region {number} on the picture again",
    "remove": "Remove region {number}",
}
NOISE = {
    "name": "Noise {number}",
    "show": "Show the picture with noise {number} again",
    "remove": "Remove noise {number}",
}
WHAT_IF: dict[str, str] = {
    "name": "What if…",
    "open": "Change a part of the image, and see what the model says then",
    "title": "What if the image were different?",
    "kinds": "What is changed",
    "part": "A part",
    "part_title": "Mark a part of the picture, and choose what stands there",
    "noise": "Adversarial noise",
    "noise_title": "Add the noise that makes the model err most, hardly seen or plain",
    "kind": "Kind",
    "size": "Size",
    "steps": "Steps",
    "against": "Against",
    "add": "Add it",
    "add_title": "Make this noise, and ask the model of the picture with it",
    "cancel": "Cancel",
    "cancel_title": "Stop, and leave the picture as it is",
    "shown": "Show it",
    "shown_title": "Show the picture with the noise, or as it is",
    "noise_hint": (
        "Every point of what the model sees is moved a little, at most by the size, in the direction that makes the "
        "model err most from what it said. It tells how firmly the model stands, and nothing of the patient."
    ),
    "noise_picture": "The picture with the noise, as the model takes it",
    "hint": (
        "Mark a part of the picture: drag, or use the keys. The model is asked again with that part replaced; the "
        "image itself stays as it is."
    ),
    "tells": (
        "The answer tells what the model goes by, not what is true of the patient. Each region is tried by itself, on "
        "the image as it is."
    ),
    "tools": "Marking",
    "rectangle": "Rectangle",
    "rectangle_title": "Drag a rectangle; a click marks one cell, or takes its mark away",
    "brush": "Brush",
    "brush_title": "Drag over the cells to mark",
    "erase": "Erase",
    "erase_title": "Drag over the cells to leave out",
    "grid": "Cells",
    "filling": "Replace it by",
    "undo": "Undo",
    "undo_title": "Take the last mark back",
    "clear": "Clear",
    "clear_title": "Take all marks of this region away",
    "next": "Another region",
    "next_title": "Keep this region in the table, and mark another",
    "close": "Close",
    "close_title": "Leave, and look at the picture again; what was tried is kept",
    "keys": (
        "Keys on the picture: arrows walk over its cells, Space marks one or takes its mark away, Shift with an arrow "
        "marks on the way, Backspace undoes, Delete clears, Escape leaves. Two fingers zoom."
    ),
    "cell": "Row {row}, column {column} of {cells}: {state}.",
    "marked": "marked",
    "unmarked": "not marked",
    "more": "What this tells, and the keys",
    "asking": "Asking the model…",
    "changes": "What changes",
    "compared": "Regions that were tried",
    "finding": "Finding",
    "image": "The image",
    "gate": "Gate",
    "like": "accepts",
    "unlike": "refuses",
    "no_gate": "none",
    "remove": "Remove",
    "legend": "From the hollow mark, which is the image, to the full one; the line is the threshold.",
    "report_title": "What if the image were different",
    "report_hint": (
        "The model was asked again with the marked part replaced, or with noise added. It tells what the model goes "
        "by, not what is true of the patient."
    ),
    "reopened": "Where the regions lie; the picture comes with its image",
    "report_picture": "The numbered regions, on the image as it was analysed",
    "place": "Left, top, width and height in pixels: {places}",
}
