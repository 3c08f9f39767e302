"""Texts in two languages: lazy translation for code that knows no request, and the negotiation of a locale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import force_locale, gettext, lazy_gettext, ngettext, pgettext

__all__ = ["LOCALES", "gettext", "lazy_gettext", "locale_of", "ngettext", "pgettext", "speaking"]

LOCALES = ("zh_CN", "en")


def locale_of(language: str | None, default: str = "zh_CN") -> str:
    """Map a language tag such as ``zh``, ``zh-Hans-CN``, ``en_GB`` to one of ``LOCALES``, else ``default``."""
    primary = (language or "").replace("-", "_").split("_")[0].lower()
    return {"zh": "zh_CN", "en": "en"}.get(primary, default)


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Translate all texts inside the block into ``locale``; needs an application context."""
    with force_locale(locale):
        yield
