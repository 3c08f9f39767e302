"""Every text that a user sees is translated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from audit_service.settings import ROOT

CATALOGUE = ROOT / "audit_service" / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
METHODS = [("audit_service/**.py", "python"), ("audit_service/**/templates/**.html", "jinja2")]
OPTIONS = {"audit_service/**/templates/**.html": {"trimmed": "true"}}
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def extracted() -> Iterator[str]:
    for _, _, message, _, _ in extract_from_dir(ROOT, METHODS, OPTIONS, KEYWORDS):
        yield message if isinstance(message, str) else message[0]


def test_every_text_is_translated_into_chinese() -> None:
    with CATALOGUE.open("rb") as stream:
        catalogue = {
            m.id if isinstance(m.id, str) else m.id[0]: m for m in read_po(stream, locale="zh_Hans_CN") if m.id
        }
    wanted = set(extracted())
    assert len(wanted) > 300
    assert sorted(wanted - set(catalogue)) == []
    assert sorted(text for text in wanted if not catalogue[text].string or catalogue[text].fuzzy) == []


def test_translations_keep_the_places_for_values() -> None:
    with CATALOGUE.open("rb") as stream:
        catalogue = [m for m in read_po(stream, locale="zh_Hans_CN") if isinstance(m.id, str) and m.id]
    places = re.compile(r"%\(\w+\)s")
    wrong = [m.id for m in catalogue if sorted(places.findall(m.id)) != sorted(places.findall(m.string))]
    assert wrong == []
