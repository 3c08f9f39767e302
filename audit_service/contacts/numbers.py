"""Telephone numbers: E.164 (ITU-T E.164) wherever the number allows it."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from audit_service.contacts.errors import NumberRefusedError

REGION_OF_JURISDICTION = {"cn": "CN", "us": "US", "uk": "GB", "in": "IN"}
"""The region whose national form a number without a country code is read in."""

_MASKED = re.compile(r"\+?[0-9]{1,11}[*xX]{2,8}[0-9]{0,8}")
_SERVICE = re.compile(r"[0-9]{3,8}")


def e164(text: str, jurisdiction: str) -> str:
    """Return a telephone number as the log shall keep it: E.164 where it is a whole number.

    Service numbers (``95533``) and numbers that the sender masked (``139****0001``) have no E.164 form and are kept
    as written, because they still tell which number was used.

    Raises:
        NumberRefusedError: it is none of these.
    """
    plain = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", text))
    if _MASKED.fullmatch(plain) or _SERVICE.fullmatch(plain):
        return plain
    try:
        number = phonenumbers.parse(plain, REGION_OF_JURISDICTION.get(jurisdiction))
    except phonenumbers.NumberParseException as error:
        raise _refusal(text) from error
    if not phonenumbers.is_possible_number(number):
        raise _refusal(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refusal(text: str) -> NumberRefusedError:
    return NumberRefusedError(
        f"{text[:40]!r} is not a telephone number.",
        remedy="Write it with its country code, e.g. +86 139 0000 0001.",
    )
