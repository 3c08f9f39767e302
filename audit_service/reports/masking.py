"""Masking of persons in print: enough to recognise whom one knows, too little to learn whom one does not."""

from __future__ import annotations

STAR = "*"
PHONE_DIGITS_SHOWN = 4


def masked_name(name: str) -> str:
    """Mask a name in the middle: ``王小明`` → ``王*明``, ``王明`` → ``王*``, ``John Smith`` → ``J*** S****``."""
    words = name.split()
    if len(words) > 1 or name.isascii():
        return " ".join(word[0] + STAR * (len(word) - 1) if len(word) > 1 else STAR for word in words)
    if len(name) == 1:
        return STAR
    hidden = max(1, len(name) - 2)
    return name[0] + STAR * hidden + name[1 + hidden :]


def masked_phone(phone: str) -> str:
    """Keep the last four digits of a number: ``****0001``; one too short to hide anything is hidden whole."""
    digits = "".join(character for character in phone if character.isdigit())
    if not digits:
        return ""
    if len(digits) <= PHONE_DIGITS_SHOWN:
        return STAR * PHONE_DIGITS_SHOWN
    return STAR * PHONE_DIGITS_SHOWN + digits[-PHONE_DIGITS_SHOWN:]
