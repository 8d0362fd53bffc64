"""The keys of JSON documents, for the tests that hold them to what is documented."""

from collections.abc import Iterator


def keys_of(document: object) -> Iterator[str]:
    """Every key of a JSON document, at any depth."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from keys_of(value)
    elif isinstance(document, list):
        for value in document:
            yield from keys_of(value)
