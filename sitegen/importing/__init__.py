"""Models that exist already, from wherever they come, as bundles: one module a source, and what all of them share."""
