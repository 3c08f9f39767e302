"""What a rule hears in a passage: the hits of its words, patterns, example sentences and counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from audit_service.detection.anchors import Anchors, FoundWords, Hit, Selection
from audit_service.detection.counting import counted_in
from audit_service.detection.likeness import similar_hits
from audit_service.detection.matching import PassageHits
from audit_service.detection.passages import Passage
from audit_service.detection.rules import Rule
from audit_service.detection.sounds import hides_pinyin


def words_in(anchors: Anchors, passage: Passage, source: str) -> FoundWords:
    """Return the hits of words in ``passage``.

    Text that was typed is read by its sound only if something in it shows that the writer evades.
    """
    return anchors.hits(passage, may_sound=source != "typed" or shows_evasion(passage))


def shows_evasion(passage: Passage) -> bool:
    """Tell whether characters were put into words or taken apart, or pinyin stands for characters (fa院)."""
    return passage.noise > 0 or hides_pinyin(passage.text)


def all_hits(passage: Passage, rule: Rule, hits: Mapping[str, Sequence[Hit]]) -> PassageHits:
    """Return the hits of all selections of one rule, given those of its words.

    Counts over a call are left to :class:`audit_service.detection.courses.Course`, which knows the other passages.
    """
    merged: dict[str, Sequence[Hit]] = dict(hits)
    for selection in rule.detection.elaborate:
        name = selection.key[1]
        found = _kept(passage, selection, [*merged.get(name, ()), *_pattern_hits(passage, selection.patterns)])
        if selection.count is not None and selection.count.per != "call":
            found = counted_in(selection.count, passage, found)
        merged.pop(name, None)
        if found:
            merged[name] = found
    return PassageHits(passage, merged)


def _kept(passage: Passage, selection: Selection, hits: list[Hit]) -> list[Hit]:
    """Return ``hits`` and the similar sentences, but for what an excluding pattern overlaps; in order of place."""
    if selection.examples:
        hits = [*hits, *similar_hits(passage, selection.examples, selection.likeness)]
    excluded = list(_pattern_hits(passage, selection.not_patterns))
    kept = [hit for hit in hits if not any(out.start < hit.end and hit.start < out.end for out in excluded)]
    return sorted(kept, key=lambda hit: (hit.start, hit.end))


def _pattern_hits(passage: Passage, patterns: Iterable[re.Pattern[str]]) -> Iterable[Hit]:
    for pattern in patterns:
        for match in pattern.finditer(passage.text):
            if match.end() > match.start():
                yield Hit(match.start(), match.end(), literal=pattern.pattern)
