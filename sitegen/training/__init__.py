"""Fitting classifiers and reconstruction models."""
