"""Can attacked images be told from clean ones? Attacks, detectors, an attack that knows them, document, page."""
