"""A module for each source of models, and what the sources share."""
