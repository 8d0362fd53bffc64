"""Settings from files, read strictly."""
