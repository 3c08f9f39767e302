"""Plain values that pass into and out of custody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit_service.custody.models import Action, Exhibit, ExhibitKind

SYSTEM = "system"


@dataclass(frozen=True)
class Receipt:
    """How a file came in: what it is, its name as the sender wrote it (never a path), by which route, from whom.

    Attributes:
        kind: what the file is.
        media_type: as probed, e.g. ``audio/wav``; never as claimed by the sender.
        original_name: for people to recognise it by.
        route: ``cli``, ``watch``, ``upload``, ``portal`` or ``derived``.
        actor: user, e-mail-free: ``user:12``, ``borrower:C-2026-000001``, ``cli:name`` or ``system``.
        derived_from_id: the exhibit this one was made from, if any.
        derivation: how it was made from that: digest of the parent, tool, version and exact command.
    """

    kind: ExhibitKind
    media_type: str
    original_name: str
    route: str
    actor: str = SYSTEM
    derived_from_id: int | None = None
    derivation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sealing:
    """The exhibit of a file, and whether this receipt made it (False: the same bytes were here before)."""

    exhibit: Exhibit
    is_new: bool


@dataclass(frozen=True)
class Act:
    """One act for the ledger: who did what to which thing. ``detail`` holds ids, counts and codes, no personal data."""

    action: Action
    object_kind: str
    object_id: str
    actor: str = SYSTEM
    detail: dict[str, str | int | bool] = field(default_factory=dict)
