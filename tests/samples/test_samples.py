"""The sample data are what their README says."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import SAMPLES


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / "logs" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def truth(name: str) -> dict[str, list[str]]:
    return json.loads((SAMPLES / "truth" / name).read_text(encoding="utf-8"))


def local(row: dict[str, str], field: str) -> datetime:
    return datetime.fromisoformat(row[field]).astimezone(ZoneInfo(row["timezone"]))


def test_there_is_enough_of_everything() -> None:
    calls, messages = rows("call_log.csv"), rows("message_log.csv")
    assert len(calls) >= 120
    assert len(messages) >= 150
    assert {row["outcome"] for row in calls} >= {"answered", "no_answer", "busy"}
    assert len({row["agency"] for row in calls if row["institution"] == "anxin"}) >= 2
    days = {datetime.fromisoformat(row["started_at"]).date() for row in calls}
    assert (max(days) - min(days)).days <= 30


@pytest.mark.parametrize(
    ("log", "key", "known"),
    [("call_log.csv", "call_id", "call_log.json"), ("message_log.csv", "message_id", "message_log.json")],
)
def test_ids_are_unique_and_all_have_their_truth(log: str, key: str, known: str) -> None:
    ids = [row[key] for row in rows(log)]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(truth(known))


def test_references_resolve() -> None:
    registry = json.loads((SAMPLES / "registry.json").read_text(encoding="utf-8"))
    borrowers = {row["reference"] for row in registry["borrowers"]}
    agents = {(row["agency"], row["staff_number"]) for row in registry["agents"]}
    persons = {row["name"] for row in registry["contact_persons"]} | {""}
    for row in [*rows("call_log.csv"), *rows("message_log.csv")]:
        assert row["borrower_ref"] in borrowers
        assert (row["agency"], row["staff_number"]) in agents
        assert row["contact_person"] in persons


def test_the_night_calls_named_in_the_truth_are_the_night_calls_of_the_log() -> None:
    known = truth("call_log.json")
    for row in rows("call_log.csv"):
        hour = local(row, "started_at").hour
        is_night = hour >= 22 or hour < 8 if row["institution"] == "anxin" else hour >= 21 or hour < 8
        assert is_night == ("outside_hours" in known[row["call_id"]]), row["call_id"]


def test_the_planted_frequencies_are_in_the_log() -> None:
    answered = Counter(
        (row["borrower_ref"], local(row, "started_at").date())
        for row in rows("call_log.csv")
        if row["outcome"] == "answered" and row["callee"] == "borrower" and int(row["talk_seconds"]) >= 10
    )
    assert max(answered.values()) == 5
    assert 3 in answered.values()


def test_sidecars_hold_facts_and_no_words() -> None:
    for file in (SAMPLES / "calls").glob("*.json"):
        document = json.loads(file.read_text(encoding="utf-8"))
        assert {"reference", "started_at", "timezone", "agent_channel"} <= set(document)
        assert not {"turns", "labels", "text", "call_labels"} & set(document)
        assert (SAMPLES / "truth" / file.name).exists()


def test_the_broken_rows_are_three_of_six() -> None:
    broken = rows("broken_rows.csv")
    assert len(broken) == 6
    assert sum(not row["text"] for row in broken) == 1
