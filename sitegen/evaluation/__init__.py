"""Metrics and resampling statistics."""
