"""What an import proves: the graphs against the original, its preprocessing against sitegen's, and the report."""
