"""Sites and keys that their maker has taken back: a list that the maker publishes, and a check asks for.

A line is the SHA-256 of a site's manifest.json or SHA256SUMS, or the number of a key (16 hexadecimal digits, as
minisign shows it), and behind it why. Empty lines and those that begin with "#" say nothing. A signature beside it,
FILE.minisig, is checked where the key is known.
"""

from collections.abc import Mapping
from pathlib import Path

from sitegen.errors import SignatureError
from sitegen.site.integrity.minisign import PublicKey, signature_problem

_LENGTHS = (16, 64)


def read_revoked(path: Path, key: PublicKey | None = None) -> dict[str, str]:
    """Return why each number of a list was taken back, by the number in lower case.

    Raises SignatureError where the file cannot be read or is no such list, or where a signature lies beside it that
    does not hold for `key`.
    """
    try:
        content = path.read_bytes()
        lines = content.decode().splitlines()
    except (OSError, ValueError) as error:
        raise SignatureError(f"{path} cannot be read as a list of what was taken back: {error}.") from error
    signature = path.with_name(f"{path.name}.minisig")
    if key and signature.is_file() and (problem := signature_problem(signature.read_bytes(), content, key)):
        raise SignatureError(
            f"{signature} does not vouch for {path.name}: {problem}. Get both anew from the site's maker."
        )
    return dict(_entry(path, number, line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#")


def _entry(path: Path, place: int, line: str) -> tuple[str, str]:
    number, _, why = line.strip().partition(" ")
    if len(number) not in _LENGTHS or set(number.lower()) - set("0123456789abcdef"):
        raise SignatureError(
            f"Line {place} of {path} begins with {number[:70]!r}: give a site's SHA-256 (64 hexadecimal digits) or a "
            "key's number (16), and behind it why."
        )
    return number.lower(), why.strip()


def told_of(revoked: Mapping[str, str], number: str) -> str | None:
    """Return what to say of a number that was taken back, or None where it was not."""
    if (why := revoked.get(number.lower())) is None:
        return None
    return f"its maker has taken {number} back" + (f": {why}" if why else "")
