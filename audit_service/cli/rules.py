"""Commands about rule packs: ``rules lint`` and ``rules test``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from audit_service.cli.output import console, emit, json_option, table
from audit_service.detection import Engine, lint, load_packs, test_examples
from audit_service.settings import setting_from_environment

folders_argument = click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))


def rule_folders(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders given, else those of the settings; needs no instance."""
    configured: tuple[Path, ...] = setting_from_environment("rule_folders")
    return tuple(folder.resolve() for folder in given) or configured


@click.group()
def rules() -> None:
    """Check rule packs."""


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


def _say(rows: Sequence[Mapping[str, object]], nothing: str, columns: tuple[str, ...]) -> None:
    if rows:
        console().print(table(f"{len(rows)} problems", columns, [[row[column] for column in columns] for row in rows]))
    else:
        click.echo(nothing)


COMMANDS = (rules,)
