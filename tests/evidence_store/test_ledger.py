"""The ledger, its tree and its checkpoints: the first altered, missing or reordered entry is named."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from evidence_store import (
    Checkpoint,
    CheckpointRefusedError,
    LedgerBrokenError,
    LedgerEntry,
    Outcome,
    SigningKey,
    ledger,
    merkle,
    verify_ledger,
)

AT = datetime(2026, 3, 3, 6, 40, 0, 123456, tzinfo=UTC)

# The eight leaves of the test vectors of Certificate Transparency (RFC 6962), and the roots of their first n.
LEAVES = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def entries(number: int) -> list[LedgerEntry]:
    chain: list[LedgerEntry] = []
    for place in range(number):
        chain.append(
            ledger.append(
                chain[-1] if chain else None,
                recorded_at=AT + timedelta(seconds=place),
                actor="user:1",
                action="viewed",
                object_kind="contact",
                object_id=str(place),
                detail={"reason": "复核"},
            )
        )
    return chain


def note(chain: list[LedgerEntry], key: SigningKey) -> str:
    root = merkle.root([bytes.fromhex(entry.entry_hash) for entry in chain])
    return Checkpoint(len(chain), root, "test", AT).sign(key)


def test_an_entry_is_canonical_json_that_reads_back() -> None:
    [entry] = entries(1)
    assert entry.canonical == (
        '{"action":"viewed","actor":"user:1","detail":{"reason":"复核"},"object":{"id":"0","kind":"contact"},'
        f'"previous":"{"0" * 64}","recorded_at":"2026-03-03T06:40:00.123456Z","seq":1}}'
    )
    assert ledger.stored_entry(canonical=entry.canonical, entry_hash=entry.entry_hash) == entry


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": "x"}'])
def test_a_text_that_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(LedgerBrokenError):
        ledger.stored_entry(canonical=text, entry_hash="0" * 64)


def test_a_sound_ledger_holds() -> None:
    key, chain = SigningKey.generate(), entries(9)
    verdict = verify_ledger(chain, [note(chain[:4], key), note(chain, key)], key.public_key)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.checked == {"ledger entries": 9, "checkpoints": 2}


def altered(chain: list[LedgerEntry], place: int) -> list[LedgerEntry]:
    changed = dataclasses.replace(chain[place], canonical=chain[place].canonical.replace("user:1", "user:2"))
    return [*chain[:place], changed, *chain[place + 1 :]]


@pytest.mark.parametrize(
    ("tamper", "code", "where"),
    [
        (lambda c: altered(c, 4), "ledger.altered", "ledger entry 5"),
        (lambda c: c[:4] + c[5:], "ledger.missing", "ledger entry 5"),
        (lambda c: c[1:], "ledger.missing", "ledger entry 1"),
        (lambda c: [*c[:4], c[5], c[4], *c[6:]], "ledger.missing", "ledger entry 5"),
        (lambda c: [*c[:5], c[4], *c[5:]], "ledger.reordered", "ledger entry 6"),
        (lambda c: c[:-1], "checkpoint.size", "checkpoint over 9 entries"),
        (
            lambda c: [
                *c[:8],
                ledger.append(
                    c[7], recorded_at=AT, actor="x", action="viewed", object_kind="c", object_id="1", detail={}
                ),
            ],
            "checkpoint.root",
            "checkpoint over 9 entries",
        ),
    ],
    ids=["altered", "dropped", "first dropped", "swapped", "repeated", "last dropped", "last replaced"],
)
def test_the_first_thing_wrong_is_named(tamper, code: str, where: str) -> None:
    key, chain = SigningKey.generate(), entries(9)
    verdict = verify_ledger(tamper(chain), [note(chain, key)], key.public_key)
    assert verdict.outcome is Outcome.DOES_NOT_HOLD
    assert (verdict.problems[0].code, verdict.problems[0].where) == (code, where)


def test_a_ledger_without_checkpoint_could_not_be_checked_wholly() -> None:
    assert verify_ledger(entries(2), [], SigningKey.generate().public_key).outcome is Outcome.COULD_NOT_CHECK


@pytest.mark.parametrize("size", sorted(ROOTS))
def test_roots_agree_with_the_published_vectors(size: int) -> None:
    assert merkle.root([merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


def test_inclusion_is_proved_for_every_leaf_of_every_size() -> None:
    for size in range(1, 20):
        leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
        root = merkle.root(leaves)
        for index in range(size):
            proof = merkle.inclusion_proof(leaves, index)
            assert merkle.is_included(leaves[index], index, size, proof, root)
            assert not merkle.is_included(merkle.leaf_hash(b"other"), index, size, proof, root)
            assert not merkle.is_included(leaves[index], index, size, [*proof, root], root)


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace("\n9\n", "\n8\n"),
        lambda text: text.replace("— test", "— other"),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text[:-6] + "AAAA=\n",
        lambda text: text[:0],
    ],
)
def test_a_forged_checkpoint_is_refused(forge) -> None:
    key = SigningKey.generate()
    with pytest.raises(CheckpointRefusedError):
        Checkpoint.opened(forge(note(entries(9), key)), key.public_key)


def test_a_checkpoint_of_another_key_is_refused() -> None:
    with pytest.raises(CheckpointRefusedError, match="another key"):
        Checkpoint.opened(note(entries(1), SigningKey.generate()), SigningKey.generate().public_key)
