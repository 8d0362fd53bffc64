"""Files that hold secret keys, as minisign writes them: plain, or locked with a password.

The form, from minisign's manual ("Secret key format"): the marks of the algorithms ("Ed", "Sc" or two zeros, "B2"),
salt (32 bytes) and the two limits (8 bytes each) of the password's derivation, then number, seed, public key and
checksum (104 bytes), which a password's scrypt stream hides by exclusive or. The checksum is BLAKE2b-256 of "Ed",
number, seed and public key.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b, scrypt
from pathlib import Path

from sitegen.errors import SignatureError
from sitegen.site.integrity.minisign import KEY_ALGORITHM, SecretKey

LOCKED, PLAIN, CHECKSUM = b"Sc", bytes(2), b"B2"
_HIDDEN = 104
_NEXT = "name a file that `sitegen sign --new-key` or `minisign -G` made"


@dataclass(frozen=True)
class Effort:
    """What a derivation may cost, in libsodium's terms. The default is its "sensitive": 1 GiB and some seconds."""

    operations: int = 2**25
    memory: int = 2**30

    def scrypt_settings(self) -> dict[str, int]:
        """Return n, r and p of scrypt, as libsodium chooses them in `crypto_pwhash_scryptsalsa208sha256`."""
        operations, r, p = max(self.operations, 32768), 8, 1
        by_operations = operations < self.memory // 32
        largest = operations // (4 * r) if by_operations else self.memory // (128 * r)
        # The smallest power of two, from 2 on, that is above half of the largest value.
        n = 2 ** max(1, (largest // 2).bit_length())
        if not by_operations:
            p = min(operations // 4 // n, 0x3FFFFFFF) // r
        return {"n": n, "r": r, "p": p, "maxmem": 128 * r * (n + p + 2) + 2**20}


def new_key() -> SecretKey:
    """Return a new key."""
    return SecretKey(os.urandom(8), os.urandom(32))


def secret_key_text(key: SecretKey, password: str = "", effort: Effort | None = None) -> str:
    """Return the content of a file that holds a secret key, locked where a password is given."""
    effort = effort or Effort()
    hidden = key.number + key.seed + key.public().content
    hidden += _checksum(hidden)
    salt, limits = bytes(32), bytes(16)
    if password:
        salt = os.urandom(32)
        limits = effort.operations.to_bytes(8, "little") + effort.memory.to_bytes(8, "little")
        hidden = _exclusive_or(hidden, password, salt, effort)
    packed = KEY_ALGORITHM + (LOCKED if password else PLAIN) + CHECKSUM + salt + limits + hidden
    kind = "encrypted " if password else ""
    return f"untrusted comment: minisign {kind}secret key\n{base64.b64encode(packed).decode()}\n"


def read_secret_key(path: Path, ask: Callable[[], str]) -> SecretKey:
    """Return the secret key in a file; `ask` gives the password where the file is locked.

    Raises SignatureError where the file is none, or the password is wrong.
    """
    try:
        packed = base64.b64decode(path.read_text("utf-8").strip().splitlines()[-1], validate=True)
    except (OSError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "it holds none"
        raise SignatureError(f"{path} gives no secret key ({reason}): {_NEXT}.") from None
    marks, lock = (packed[:2], packed[4:6]), packed[2:4]
    if len(packed) != 54 + _HIDDEN or marks != (KEY_ALGORITHM, CHECKSUM) or lock not in (LOCKED, PLAIN):
        raise SignatureError(f"{path} gives no secret key of a known kind: {_NEXT}.")
    hidden = packed[54:]
    if lock == LOCKED:
        effort = Effort(int.from_bytes(packed[38:46], "little"), int.from_bytes(packed[46:54], "little"))
        hidden = _exclusive_or(hidden, ask(), packed[6:38], effort)
    key = SecretKey(hidden[:8], hidden[8:40])
    # minisign leaves the checksum out of plain keys, but seed and public key belong together there, too.
    if key.public().content != hidden[40:72] or (lock == LOCKED and _checksum(hidden[:72]) != hidden[72:]):
        raise SignatureError(f"{path} cannot be unlocked: the password is wrong, or the file is damaged. Try again.")
    return key


def _checksum(number_and_keys: bytes) -> bytes:
    return blake2b(KEY_ALGORITHM + number_and_keys, digest_size=32).digest()


def _exclusive_or(hidden: bytes, password: str, salt: bytes, effort: Effort) -> bytes:
    try:
        stream = scrypt(password.encode(), salt=salt, dklen=_HIDDEN, **effort.scrypt_settings())
    except (ValueError, MemoryError, OverflowError) as error:
        raise SignatureError(
            f"The key's password cannot be checked on this machine, for it takes {effort.memory / 2**30:.1f} GiB of "
            f"memory ({error}). Use a machine with more, or sign with minisign itself."
        ) from None
    return bytes(one ^ other for one, other in zip(hidden, stream, strict=True))
