"""The report of a curation: one HTML file that loads nothing and names nobody."""
