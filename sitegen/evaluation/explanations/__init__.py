"""Whether maps of where a model looked are to be trusted: study, document, figures, page."""
