"""Signatures in the form of minisign, which anyone can check with that program, or with this module.

A signature is Ed25519 (RFC 8032) of the file's BLAKE2b-512 hash (RFC 7693); a second one covers the first and the
trusted comment. The form is minisign's own, described in its manual under "Signature format" and "Public key format".
Its older form, of the file itself in place of its hash, is not accepted.

    untrusted comment: anything
    base64("ED" + key's number, 8 bytes + signature, 64 bytes)
    trusted comment: something that the signer says
    base64(signature of the first signature and the trusted comment, 64 bytes)
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from sitegen.errors import SignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_ALGORITHM = b"Ed"
HASHED = b"ED"
_TRUSTED = "trusted comment: "
UNTIL = "until:"
"""Begins the part of a trusted comment, between tabs, that says the last day of a signature (ISO 8601)."""


@dataclass(frozen=True)
class PublicKey:
    """A key to check signatures with: its number (8 bytes), which signatures name, and 32 bytes of Ed25519."""

    number: bytes
    content: bytes

    @property
    def name(self) -> str:
        """The number as minisign shows it."""
        return self.number[::-1].hex().upper()

    @property
    def encoded(self) -> str:
        """The key as one word of base64."""
        return base64.b64encode(KEY_ALGORITHM + self.number + self.content).decode()

    def text(self) -> str:
        """Return the content of a file that holds the key."""
        return f"untrusted comment: minisign public key {self.name}\n{self.encoded}\n"


@dataclass(frozen=True, repr=False)
class SecretKey:
    """A key to sign with: the number of its public key, and the 32 bytes of Ed25519's seed."""

    number: bytes
    seed: bytes

    def public(self) -> PublicKey:
        """Return the key that checks what this one signs."""
        return PublicKey(self.number, self._private().public_key().public_bytes_raw())

    def sign(self, content: bytes, trusted_comment: str) -> str:
        """Return the content of a signature's file. The same content and comment always give the same signature."""
        if "\n" in trusted_comment or "\r" in trusted_comment:
            raise ValueError(f"a trusted comment is one line, not {trusted_comment!r}")
        private = self._private()
        signature = private.sign(_hash(content))
        both = private.sign(signature + trusted_comment.encode())
        lines = (
            f"untrusted comment: signature by the key {self.public().name}",
            base64.b64encode(HASHED + self.number + signature).decode(),
            f"{_TRUSTED}{trusted_comment}",
            base64.b64encode(both).decode(),
        )
        return "\n".join(lines) + "\n"

    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # heavy

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def read_public_key(named: str) -> PublicKey:
    """Return the public key that is in a file, or is the text itself (56 characters of base64).

    Raises SignatureError where it is neither.
    """
    path = Path(named)
    try:
        text = path.read_text("utf-8") if path.is_file() else named
        packed = base64.b64decode(text.strip().splitlines()[-1], validate=True)
    except (OSError, ValueError, IndexError):
        packed = b""
    if len(packed) != 42 or not packed.startswith(KEY_ALGORITHM):
        raise SignatureError(
            f"{named} is no public key of minisign: name the file that holds it (*.pub), or give the key itself, "
            "56 characters that begin with RW."
        )
    return PublicKey(packed[2:10], packed[10:])


def signature_problem(text: bytes, content: bytes, key: PublicKey) -> str:
    """Return what is wrong with a signature of some content, or "" where it holds."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        _, first, comment, second = text.decode().rstrip("\n").split("\n")
        packed, both = (base64.b64decode(line.strip(), validate=True) for line in (first, second))
        algorithm, number, signature = packed[:2], packed[2:10], packed[10:]
        if not comment.startswith(_TRUSTED) or len(signature) != 64 or len(both) != 64:
            return "it is not of minisign's form"
    except (ValueError, binascii.Error):
        return "it is not of minisign's form"
    if algorithm != HASHED:
        return "it is of minisign's old form, which is not accepted: sign again with minisign -H, or sitegen sign"
    if number != key.number:
        return f"it was made with the key {PublicKey(number, b'').name}, not with {key.name}"
    public = Ed25519PublicKey.from_public_bytes(key.content)
    try:
        public.verify(signature, _hash(content))
        public.verify(both, signature + comment.removeprefix(_TRUSTED).rstrip("\r").encode())
    except InvalidSignature:
        return f"it does not hold for the key {key.name}: the file or the signature was changed"
    return ""


def last_day(text: bytes) -> date | None:
    """Return the last day of a signature that holds, or None where it names none. Raises ValueError for no day."""
    comment = text.decode().rstrip("\n").split("\n")[2].removeprefix(_TRUSTED)
    said = [part.removeprefix(UNTIL) for part in comment.rstrip("\r").split("\t") if part.startswith(UNTIL)]
    return min(map(date.fromisoformat, said)) if said else None


def _hash(content: bytes) -> bytes:
    return blake2b(content).digest()
