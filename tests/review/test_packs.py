"""What a rule said when it flagged, and which of its authorities were in force on the day of the contact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from audit_service.detection import load_packs
from audit_service.review.packs import rule_on, snapshot
from audit_service.settings import ROOT

RULES = snapshot(load_packs([ROOT / "rules" / "cn"])[0])


def cited(rule: dict[str, Any]) -> set[str]:
    return {one["instrument"] for one in rule["authorities"]}


@pytest.mark.parametrize(
    ("instant", "later"),
    [
        (datetime(2019, 6, 3, tzinfo=UTC), set()),
        (datetime(2025, 2, 27, 15, 59, tzinfo=UTC), set()),
        (datetime(2025, 2, 27, 16, 0, tzinfo=UTC), {"cn.gbt-45251-2025"}),  # midnight in Shanghai
        (datetime(2026, 2, 2, tzinfo=UTC), {"cn.gbt-45251-2025", "cn.cba-2026", "cn.public-security-penalties-2025"}),
    ],
)
def test_an_instrument_is_cited_only_for_contacts_of_its_time(instant: datetime, later: set[str]) -> None:
    found = cited(rule_on(RULES["cn.threat_unlawful_action.arrest"], instant, "Asia/Shanghai"))
    assert found == {"cn.nifa-2018"} | later


def test_a_snapshot_without_dates_and_a_rule_older_than_its_authorities_keep_them_all() -> None:
    undated = {"authorities": [{"instrument": "x"}]}
    assert cited(rule_on(undated, datetime(2019, 6, 3, tzinfo=UTC), None)) == {"x"}
    young = RULES["cn.outside_hours.night"]
    assert cited(rule_on(young, datetime(2019, 6, 3, tzinfo=UTC), None)) == cited(young)
