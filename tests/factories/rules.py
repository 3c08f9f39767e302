"""Packs of rules written to a folder, a file a rule, for tests of the rule language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from audit_service.detection import Conversation, Engine, Turn, load_packs

TWO = {"zh": "一", "en": "one"}
CATEGORY = "harassment"


def rule(name: str, detect: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Return a rule file; what is not said takes a plain default."""
    own = {
        "id": f"own.{CATEGORY}.{name}",
        "version": 1,
        "status": "active",
        "title": TWO,
        "explanation": TWO,
        "category": CATEGORY,
        "kind": "phrase",
        "severity": {"level": "low", "because": TWO},
        "authority": [{"instrument": "law"}],
        "in_force": {"from": "2020-01-01", "to": None},
        "owner": "tests",
        "created": "2026-11-24",
        "modified": "2026-11-24",
        "related": [],
        "speaker": "agent",
        "detect": dict(detect),
        "review": {"listen_for": TWO, "dismiss_when": TWO, "cannot_tell_when": TWO},
        "known_misses": [],
        "examples": {"flag": [{"text": "a"}], "pass": [{"text": "b"}]},
    }
    return own | values


def pack(folder: Path, *rules: Mapping[str, Any], jurisdiction: str = "cn") -> Path:
    """Write a pack of these rules and return its folder."""
    own = folder / "own"
    (own / CATEGORY).mkdir(parents=True, exist_ok=True)
    law = {"issuer": TWO, "title": TWO, "number": "1", "weight": "LAW", "in_force": {"from": "2000-01-01", "to": None}}
    head = {
        "id": "own",
        "version": "2026.1.1",
        "jurisdiction": jurisdiction,
        "languages": ["zh"],
        "title": TWO,
        "needs_engine": 1,
    }
    _write(own / "pack.yaml", head)
    _write(own / "instruments.yaml", {"instruments": {"law": law}})
    for one in rules:
        _write(own / CATEGORY / f"{one['id'].rsplit('.', 1)[-1]}.yaml", one)
    return own


def engine(folder: Path, *rules: Mapping[str, Any]) -> Engine:
    """Return an engine of a pack of these rules."""
    return Engine(load_packs([pack(folder, *rules)]))


def contact(*turns: tuple[str, str] | Turn, **values: Any) -> Conversation:
    """Return a call written down by a person; each turn is speaker and text, four seconds long, a second apart."""
    spoken = tuple(
        turn if isinstance(turn, Turn) else Turn(*turn, start_s=5.0 * number, end_s=5.0 * number + 4)
        for number, turn in enumerate(turns)
    )
    fields = {"source": "transcript", "channel": "call", "recipient": "borrower", "jurisdictions": ("cn",)} | values
    return Conversation("c", spoken, **fields)


def _write(file: Path, document: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
