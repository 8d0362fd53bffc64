"""Do distances from reconstructions tell what deviates, and where? Detection, localisation, tests of differences."""
