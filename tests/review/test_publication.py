"""Which rules judge: only what somebody else than the author approved; and old packs judge as they did."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from audit_service.custody.models import Action, LedgerRow
from audit_service.database import Session
from audit_service.detection import Engine, load_packs
from audit_service.errors import InputRefusedError, IntegrityFailedError, NotFoundError
from audit_service.review import publication, running
from audit_service.review.models import Finding, PackVersion, RuleFile, RuleVersion
from audit_service.review.packs import restored, stored_version
from audit_service.review.publication import PublicationRefusedError, approve, engine_in_force, publish
from audit_service.review.replaying import replay_contact
from audit_service.settings import ROOT
from tests.factories import contacts, organizations

INSULT = "不要脸的东西，赶紧还钱。"


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    publication._engines.clear()
    publication._loaded.cache_clear()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A pack of a lender's own: one rule, with its word lists; no trained layer."""
    folder = tmp_path / "own"
    (folder / "abuse_insult").mkdir(parents=True)
    for name in ("instruments.yaml", "severities.yaml"):
        shutil.copy(ROOT / "rules" / "cn" / name, folder / name)
    pack = {"id": "own", "version": "2026.1.0", "jurisdiction": "cn", "languages": ["zh"]}
    write(folder / "pack.yaml", pack | {"title": {"zh": "自有", "en": "Own"}, "needs_engine": 1})
    rule = yaml.safe_load((ROOT / "rules/cn/abuse_insult/insult.yaml").read_text(encoding="utf-8"))
    rule |= {"id": "own.abuse_insult.insult", "owner": "wang@example.org", "version": 1}
    files = [yaml.safe_load(one.read_text(encoding="utf-8")) for one in (ROOT / "rules/cn/lexicons").glob("*.yaml")]
    lists = {name: words for file in files for name, words in file["lists"].items()}
    for part in (rule["detect"], rule.get("except", {})):
        for selection in part.values():
            if isinstance(selection, dict) and "any" in selection:
                entries = [lists[e["lexicon"]] if isinstance(e, dict) else [e] for e in selection["any"]]
                selection["any"] = [word for words in entries for word in words]
    write(folder / "abuse_insult" / "insult.yaml", rule)
    return folder


def write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def change(folder: Path, pack_version: str, **values: Any) -> None:
    """Change the rule of the pack as an editor would, in a process that starts anew."""
    file = folder / "abuse_insult" / "insult.yaml"
    write(file, yaml.safe_load(file.read_text(encoding="utf-8")) | values)
    pack = yaml.safe_load((folder / "pack.yaml").read_text(encoding="utf-8"))
    write(folder / "pack.yaml", pack | {"version": pack_version})
    publication._loaded.cache_clear()


def published(session: Session, folder: Path, version: str, *, is_approved: bool = True) -> PackVersion:
    (pack,) = load_packs([folder])
    made = publish(session, pack, organizations.user(session))
    if is_approved:
        approve(session, "own", version, organizations.user(session, role="lead"))
    return made


def severities(engine: Engine) -> list[tuple[str, int, str]]:
    return [(rule.id, rule.version, rule.severity) for pack in engine.packs for rule in pack.rules]


def test_a_pack_judges_only_after_somebody_else_approved_it(session: Session, own: Path) -> None:
    assert severities(engine_in_force(session, (own,))) == []
    version = published(session, own, "2026.1.0", is_approved=False)
    assert severities(engine_in_force(session, (own,))) == []
    lead = organizations.user(session, role="lead")
    approve(session, "own", "2026.1.0", lead)
    assert severities(engine_in_force(session, (own,))) == [("own.abuse_insult.insult", 1, "high")]
    (rule,) = session.scalars(select(RuleVersion)).all()
    assert (rule.version, rule.author, len(rule.digest)) == (1, "wang@example.org", 64)
    assert rule.in_force_from.isoformat() == load_packs([own])[0].rules[0].in_force_from.isoformat()
    assert version.approver == lead.email
    acts = session.scalars(select(LedgerRow).where(LedgerRow.object_kind == "rule_pack").order_by(LedgerRow.seq)).all()
    assert [row.action for row in acts] == [Action.PUBLISHED, Action.APPROVED]
    assert rule.digest in acts[0].canonical


def test_nobody_approves_her_own_rules(session: Session, own: Path) -> None:
    (pack,) = load_packs([own])
    publisher = organizations.user(session, role="lead")
    publish(session, pack, publisher)
    author = organizations.user(session, role="lead", email="Wang@example.org")
    officer = organizations.user(session, role="officer")
    for user, message in ((publisher, "her own"), (author, "her own"), (officer, "may not approve")):
        with pytest.raises(PublicationRefusedError, match=message):
            approve(session, "own", "2026.1.0", user)
    with pytest.raises(NotFoundError):
        approve(session, "own", "2026.9.9", organizations.user(session, role="lead"))
    assert severities(engine_in_force(session, (own,))) == []


def test_an_unapproved_change_leaves_the_approved_version_judging(session: Session, own: Path) -> None:
    published(session, own, "2026.1.0")
    change(own, "2026.1.1", version=2, severity={"level": "low", "because": {"zh": "改", "en": "changed"}})
    assert severities(engine_in_force(session, (own,))) == [("own.abuse_insult.insult", 1, "high")]
    published(session, own, "2026.1.1")
    assert severities(engine_in_force(session, (own,))) == [("own.abuse_insult.insult", 2, "low")]


def test_a_draft_never_judges_and_is_not_published(session: Session, own: Path) -> None:
    change(own, "2026.1.1", status="draft")
    published(session, own, "2026.1.1")
    assert session.scalars(select(RuleVersion)).all() == []
    lender = organizations.institution(session)
    agency, borrower = organizations.agency(session, lender), contacts.borrower(session, lender)
    message = contacts.message(session, borrower, agency, INSULT)
    running.run_messages(session, engine_in_force(session, (own,)), message.id, message.id)
    assert session.scalars(select(Finding)).all() == []


def test_a_published_version_is_published_once_and_never_with_another_content(session: Session, own: Path) -> None:
    published(session, own, "2026.1.0")
    (pack,) = load_packs([own])
    with pytest.raises(PublicationRefusedError, match="published already"):
        publish(session, pack, organizations.user(session))
    change(own, "2026.1.1", severity={"level": "low", "because": {"zh": "改", "en": "changed"}})
    with pytest.raises(PublicationRefusedError, match="another content"):
        published(session, own, "2026.1.1")


def test_a_pack_with_problems_or_failing_examples_is_not_published(own: Path) -> None:
    assert publication.checked_packs([own])[0].id == "own"
    change(own, "2026.1.1", speaker="borrower")
    with pytest.raises(InputRefusedError, match="rules lint"):
        publication.checked_packs([own])
    change(own, "2026.1.1", speaker="agent", channels=["email"])
    examples = yaml.safe_load((own / "abuse_insult" / "insult.yaml").read_text(encoding="utf-8"))["examples"]
    examples["flag"][0] = {"text": "您好，请按时还款。"}
    change(own, "2026.1.1", examples=examples)
    with pytest.raises(InputRefusedError, match="rules test"):
        publication.checked_packs([own])


def test_a_pack_that_nobody_approved_is_named_and_whether_an_older_one_judges(session: Session, own: Path) -> None:
    assert publication.unapproved_packs(session, (ROOT / "rules" / "cn",)) == []
    [named] = publication.unapproved_packs(session, (own,))
    assert named.is_silent
    published(session, own, named.version)
    assert publication.unapproved_packs(session, (own,)) == []
    change(own, "2027.9.9")
    publication._loaded.cache_clear()
    [named] = publication.unapproved_packs(session, (own,))
    assert (named.version, named.is_silent) == ("2027.9.9", False)


def test_our_release_judges_as_approved_in_its_lock_and_is_on_record(session: Session) -> None:
    folders = (ROOT / "rules" / "cn", ROOT / "rules" / "us")
    engine = engine_in_force(session, folders)
    assert engine is engine_in_force(session, folders)
    assert {pack.id for pack in engine.packs} == {"cn", "us"}
    rules = session.scalars(select(RuleVersion)).all()
    assert len(rules) == sum(rule.status != "draft" for pack in engine.packs for rule in pack.rules)
    versions = publication.published_versions(session)
    assert {(version.approver, version.approved_by_id) for version in versions} == {("rules-review", None)}
    shared = session.scalar(select(func.count()).select_from(RuleFile))
    listed = [path for version in versions for path in version.files["files"]]
    assert shared < len(listed)


def test_an_old_pack_flags_the_same_after_the_rules_have_changed(session: Session, own: Path) -> None:
    published(session, own, "2026.1.0")
    lender = organizations.institution(session)
    agency, borrower = organizations.agency(session, lender), contacts.borrower(session, lender)
    message = contacts.message(session, borrower, agency, INSULT)
    running.run_messages(session, engine_in_force(session, (own,)), message.id, message.id)
    (finding,) = session.scalars(select(Finding)).all()
    (rule,) = session.scalars(select(RuleVersion)).all()
    assert (finding.rule_version, finding.rule_digest) == (rule.version, rule.digest)
    change(own, "2026.1.1", version=2, status="retired")
    published(session, own, "2026.1.1")
    running.run_messages(session, engine_in_force(session, (own,)), message.id, message.id)
    assert session.scalars(select(Finding).where(Finding.is_current)).all() == []
    shutil.rmtree(own)
    after, before = replay_contact(session, message.attempt_id)
    assert (after.same, after.is_same) == (0, True)
    assert (before.same, before.is_same) == (1, True)
    assert before.digests != after.digests
    finding.end_offset = (finding.end_offset or 0) - 1
    session.flush()
    assert replay_contact(session, message.attempt_id)[1].missing == (finding.rule_id,)


def test_a_run_whose_pack_was_not_kept_says_so(session: Session, own: Path) -> None:
    lender = organizations.institution(session)
    agency, borrower = organizations.agency(session, lender), contacts.borrower(session, lender)
    message = contacts.message(session, borrower, agency, INSULT)
    running.run_messages(session, Engine(load_packs([own])), message.id, message.id)
    (replayed,) = replay_contact(session, message.attempt_id)
    assert "were not kept" in replayed.obstacle
    assert replayed.is_same is False


def test_kept_files_that_were_changed_are_not_taken_for_the_pack(session: Session, own: Path) -> None:
    version = published(session, own, "2026.1.0")
    assert restored(session, version).digest == version.digest
    name = next(path for path in version.files["files"] if path.endswith("insult.yaml"))
    kept = session.get_one(RuleFile, version.files["files"][name])
    kept.content = kept.content.replace(b"level: high", b"level: low")
    session.flush()
    with pytest.raises(IntegrityFailedError, match="not as it was published"):
        restored(session, version)


def test_a_pack_seen_again_is_the_same_version(session: Session, own: Path) -> None:
    (pack,) = load_packs([own])
    assert stored_version(session, pack).id == stored_version(session, replace(pack)).id
