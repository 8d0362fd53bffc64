"""The page for those who look at results: what they mean with the models of a site, and how often those were wrong.

measured.py      the figures that a bundle keeps of itself
frequencies.py   shares as "of 100", rounded against the model
mistakes.py      how often it was wrong, and on whom
percentages.py   what 50 % means, and where the mark comes from
refusals.py      what the gate refuses, and how often
unmeasured.py    what nobody has measured
page.py          the page as Markdown, a section for each model

No sentence says what a bundle does not know. Free-form parts of a bundle (`metrics`, `provenance`) are read as
`sitegen export` and `sitegen import` write them; in another form they count as not there, and the page says so.
"""

from sitegen.site.help.page import TITLE, help_text

__all__ = ["TITLE", "help_text"]
