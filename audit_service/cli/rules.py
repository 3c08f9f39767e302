"""Commands about rule packs: ``rules lint``, ``test``, ``lock``, ``diff``, ``explain``, and those of ``rule_life``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from audit_service.cli import rule_life
from audit_service.cli.context import application
from audit_service.cli.output import console, emit, json_option, print_facts, table
from audit_service.cli.rule_folders import folders_argument, rule_folders
from audit_service.cli.traces import trace_document, trace_text
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import transaction
from audit_service.detection import Engine, lint, load_packs, test_examples
from audit_service.detection.comparing import Comparison, compare, with_drafts
from audit_service.detection.documents import conversation_of, document_of
from audit_service.detection.locking import LOCK_FILE, compare_with_lock, raise_versions, read_lock, write_lock
from audit_service.detection.values import Conversation
from audit_service.errors import InputRefusedError
from audit_service.review import queries
from audit_service.review.history import compare_history, conversations_of


@click.group()
def rules() -> None:
    """Check, publish and measure rule packs."""


@rules.command("lint")
@folders_argument
@json_option
def lint_command(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the form of rule files; exit code 3 if anything is wrong.

    Example: audit-service rules lint rules/cn
    """
    problems = [problem for folder in rule_folders(folders) for problem in lint(folder)]
    rows = [{"file": str(p.file), "line": p.line, "column": p.column, "message": p.message} for p in problems]
    emit(
        {"problems": rows},
        as_json=as_json,
        text=lambda: _say(rows, "No problem found.", ("file", "line", "column", "message")),
    )
    raise SystemExit(3 if problems else 0)


@rules.command("test")
@folders_argument
@json_option
def test_command(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Run each rule on its own examples: what must flag and what must pass; exit code 3 if one does not.

    Example: audit-service rules test rules/us
    """
    engine = Engine(load_packs(rule_folders(folders)))
    failures = test_examples(engine)
    rows = [{"rule": f.rule_id, "example": f.example, "expected": f.expected, "got": f.got} for f in failures]
    emit(
        {"failures": rows},
        as_json=as_json,
        text=lambda: _say(rows, "All examples hold.", ("rule", "example", "expected", "got")),
    )
    raise SystemExit(3 if failures else 0)


@rules.command("lock")
@click.option("--check", is_flag=True, help="Write nothing; exit code 3 if a pack is not as locked.")
@click.option("--approver", default="", help="Who read the changes; not the owner of a changed rule.")
@click.option("--raise", "is_raising", is_flag=True, help="First raise the version of each changed rule and pack.")
@folders_argument
@json_option
def lock_command(folders: tuple[Path, ...], approver: str, *, check: bool, is_raising: bool, as_json: bool) -> None:
    """Write versions, digests, authors and approver of packs and rules to lock.json beside them, or check them.

    What was changed under its old version is refused: findings name the version and digest that made them.

    Example: audit-service rules lock --approver rules-review
    """
    chosen = rule_folders(folders)
    file = chosen[0].parent / LOCK_FILE
    packs = load_packs(chosen)
    if is_raising and raise_versions(read_lock(file), packs):
        packs = load_packs(chosen)
    problems = compare_with_lock(read_lock(file), packs)
    if not check and not any(problem.is_unversioned for problem in problems):
        write_lock(file, packs, approver)
        problems = []
    rows = [{"pack": problem.pack, "message": problem.message} for problem in problems]
    emit({"problems": rows}, as_json=as_json, text=lambda: _say(rows, "The packs are as locked.", ("pack", "message")))
    raise SystemExit(3 if problems else 0)


@rules.command("diff")
@click.argument("old", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--on",
    "records",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines, one contact a line, in the form that `detect` reads.",
)
@click.option("--from", "begin", type=click.DateTime(["%Y-%m-%d"]), help="First day of the stored contacts to judge.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last day of the stored contacts to judge.")
@click.option("--rule", default="", help="Only what concerns this rule.")
@click.option("--drafts", is_flag=True, help="Judge by the draft rules of NEW too, as if they were published.")
@click.option("--unchanged", is_flag=True, help="List the findings that stay, too.")
@json_option
def diff_command(old: Path, new: Path, **options: Any) -> None:
    """Show which findings the packs in NEW add to and remove from those of OLD on the same contacts.

    The contacts are those of a file, or those stored here of a range of days. Nothing that is stored changes; that it
    was read is logged.

    Example: audit-service rules diff /srv/rules-2026.1/cn rules/cn --from 2026-03-01 --to 2026-03-31 --drafts
    """
    newer = load_packs([new.resolve()])
    before, after = Engine(load_packs([old.resolve()])), Engine(with_drafts(newer) if options["drafts"] else newer)
    found = _compared(before, after, options)
    if options["rule"]:
        found = found.of_rule(options["rule"])
    lists = [("added", found.added), ("removed", found.removed)]
    lists += [("unchanged", found.unchanged)] if options["unchanged"] else []
    changes = [
        {"change": change, "id": finding.subject, **document_of(finding)}
        for change, findings in lists
        for finding in findings
    ]
    emit(
        {"changes": changes, "unchanged": len(found.unchanged)},
        as_json=options["as_json"],
        text=lambda: _say_changes(changes, found),
    )


def _compared(before: Engine, after: Engine, options: Mapping[str, Any]) -> Comparison:
    """Compare on the contacts that the options name: of a file, or stored here."""
    records, begin, end = options["records"], options["begin"], options["end"]
    if (records is None) == (begin is None) or (begin is None) != (end is None):
        raise click.UsageError("Give either --on, or --from and --to.")
    if records is not None:
        return compare(before, after, _conversations(records.read_text(encoding="utf-8"), records.name))
    days = begin.date(), end.date()
    with application():
        with transaction() as session:
            found = compare_history(session, before, after, days)
        with transaction() as session:
            read = Act(Action.VIEWED, "history", f"{days[0]}/{days[1]}", actor="command line")
            custody.record(session, read)
    return found


def _conversations(lines: str, name: str) -> Iterator[Conversation]:
    for number, line in enumerate(lines.splitlines(), start=1):
        if line.strip():
            try:
                yield conversation_of(json.loads(line))
            except (ValueError, TypeError) as error:
                raise InputRefusedError(
                    f"{name}, line {number}: {error}.", remedy="Write the record as `detect` reads it."
                ) from error


def _say_changes(changes: Sequence[Mapping[str, object]], found: Comparison) -> None:
    _say(changes, "Nothing changes.", ("change", "id", "rule", "quote", "score"))
    click.echo(f"{len(found.added)} added, {len(found.removed)} removed, {len(found.unchanged)} unchanged.")


@rules.command("explain")
@click.argument("finding_id", type=int, metavar="[FINDING]", required=False)
@click.option(
    "--why-not", "rule_id", metavar="RULE", help="Say instead why this rule does or does not fire on contacts."
)
@click.option(
    "--on",
    "records",
    type=click.File(encoding="utf-8"),
    default="-",
    help="The contacts: JSON Lines in the form that `detect` reads. Default: standard input.",
)
@click.option("--contact", "contact_id", type=int, help="The contact: the number of one that is stored here.")
@click.option("--drafts", is_flag=True, help="Take draft rules as if they were published.")
@json_option
def explain_command(finding_id: int | None, rule_id: str | None, *, as_json: bool, **where: Any) -> None:
    """Say why a stored finding was made, or (--why-not RULE) why a rule does or does not fire.

    Of a finding: rule, words met, plane, edits, and the exceptions that were considered. Of a rule: a truth table for
    each contact, in which every selection and part of the condition is met or not, and what became of each match.
    The number of a finding stands in its address on the officers' pages and in reports. Looking is logged.

    Example: audit-service rules explain 17
    """
    if (finding_id is None) == (rule_id is None):
        raise click.UsageError("Give either the number of a finding or --why-not RULE.")
    if rule_id is not None:
        _explain_rule(rule_id, where, as_json=as_json)
        return
    with application(), transaction() as session:
        finding = queries.finding(session, finding_id or 0)
        custody.record(session, Act(Action.VIEWED, "finding", str(finding_id), actor="command line"))
        facts: dict[str, object] = {
            "rule": f"{finding.rule_id} v{finding.rule_version} {finding.rule_digest or ''}".rstrip(),
            "pack": f"{finding.pack_version.pack} {finding.pack_version.version} {finding.pack_version.digest}",
            "quote": finding.quote,
            "plane": finding.plane,
            "score": finding.score,
            **finding.explanation,
        }
    emit(facts, as_json=as_json, text=lambda: print_facts({name: _shown(value) for name, value in facts.items()}))


def _explain_rule(rule_id: str, where: Mapping[str, Any], *, as_json: bool) -> None:
    packs = load_packs(rule_folders(()))
    engine = Engine(with_drafts(packs) if where["drafts"] else packs)
    kind = engine.rule(rule_id).kind
    if where["contact_id"] is None:
        contacts = list(_conversations(where["records"].read(), where["records"].name))
    else:
        with application(), transaction() as session:
            contacts = conversations_of(session, where["contact_id"])
            custody.record(session, Act(Action.VIEWED, "contact", str(where["contact_id"]), actor="command line"))
    traces = [(contact.id, engine.trace(rule_id, contact)) for contact in contacts]
    emit(
        {"traces": [{"id": contact, "kind": kind, **trace_document(trace)} for contact, trace in traces]},
        as_json=as_json,
        text=lambda: click.echo("\n\n".join(trace_text(contact, kind, trace) for contact, trace in traces)),
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _say(rows: Sequence[Mapping[str, object]], nothing: str, columns: tuple[str, ...]) -> None:
    if rows:
        console().print(table(f"{len(rows)} problems", columns, [[row[column] for column in columns] for row in rows]))
    else:
        click.echo(nothing)


for command in rule_life.COMMANDS:
    rules.add_command(command)
COMMANDS = (rules,)
