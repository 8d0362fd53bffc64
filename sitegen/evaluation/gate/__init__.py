"""How well gates tell images that a model may judge from all others: study, document, figures, page."""
