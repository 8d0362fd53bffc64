"""What a classifier achieves on labelled images: study, document, figures, page."""
