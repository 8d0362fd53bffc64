"""How well models hold out against turned, moved and scaled images: study, document, figure, page."""
