"""Engines with some of their layers taken out, to see what each layer adds."""

from __future__ import annotations

from dataclasses import replace

from audit_service.detection import Engine
from audit_service.detection.rules import Pack
from audit_service.detection.wordings import TrainedLayer


def words_only(pack: Pack) -> Pack:
    """Return a pack without the rules of its trained model."""
    return replace(pack, rules=tuple(rule for rule in pack.rules if rule.kind != "model"), model=None)


def model_only(pack: Pack) -> Pack:
    """Return a pack without its rules of words."""
    return replace(pack, rules=tuple(rule for rule in pack.rules if rule.kind == "model"))


def without_reader(engine: Engine) -> Engine:
    """Return an engine of the same packs whose trained layer is the linear model alone."""
    return Engine(
        [
            pack if pack.model is None else replace(pack, model=TrainedLayer(pack.model.linear, None))
            for pack in engine.packs
        ]
    )
