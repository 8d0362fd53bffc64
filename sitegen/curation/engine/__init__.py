"""Who scores batches of files: this process alone, or the workers of a Dask cluster."""
