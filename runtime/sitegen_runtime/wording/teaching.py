"""Words of teaching: findings are told only after a student has answered. The page fills in what stands in braces."""

TEACHING: dict[str, str] = {
    "switch": "Teaching",
    "hint": "Findings of the next images are shown after you have answered.",
    "case": "Case {number}",
    "open": "Open the {count} cases",
    "answer_first": "What do you see?",
    "not_answered": "not answered",
    "counted": "to be answered",
    "question": (
        "Tick what you see. For each finding that you tick, show where: click on the picture, or use its arrow keys."
    ),
    "place": "Where is {finding}? ({state})",
    "placed": "place shown",
    "not_placed": "place not shown",
    "answer": "Answer",
    "picture": "The image. A click, or the arrow keys, show where {finding} is",
    "picture_plain": "The image, with the places that you showed",
    "revealed": "Your answer",
    "finding": "Finding",
    "you": "You",
    "model": "Model",
    "label": "Label",
    "yes": "yes",
    "no": "no",
    "unknown": "not labelled",
    "refused": "refused by the gate",
    "inside": "inside the box",
    "outside": "outside the box",
    "boxes": "Frames are the boxes of the label; rings are where you clicked.",
    "score": (
        "So far: {cases} of {all} cases answered. As labelled: you {you} of {count} findings, "
        "the model {model} of {judged}."
    ),
    "score_alone": "So far: {cases} of {all} answered. You agree with the model in {you} of {count} findings.",
    "places": "Places inside the box: {inside} of {shown}.",
    "end": "All cases are answered.",
}
