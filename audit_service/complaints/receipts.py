"""Receipt codes: 80 random bits in Crockford's base 32, in groups of four, kept only as a keyed hash.

That alphabet has no I, L, O and U, so a code can be read out on a phone and copied from paper without doubt.
Source: Douglas Crockford, "Base 32".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHARACTERS = 16
GROUP = 4
LOOK_ALIKES = str.maketrans("ILO", "110")


def new_code() -> str:
    """Return a new code such as ``7G3K-0QXM-8ZRT-4VAD``."""
    raw = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
    return "-".join(raw[start : start + GROUP] for start in range(0, CHARACTERS, GROUP))


def normalised(code: str) -> str:
    """Return a code as typed in its bare form: full-width, case, spaces, dashes and look-alikes do not matter."""
    plain = unicodedata.normalize("NFKC", code).upper()
    return "".join(character for character in plain if character.isalnum()).translate(LOOK_ALIKES)


def hash_code(code: str, pepper: str) -> str:
    """Return the keyed hash under which a code is stored (HMAC-SHA-256, hexadecimal)."""
    return hmac.new(pepper.encode(), normalised(code).encode(), hashlib.sha256).hexdigest()
