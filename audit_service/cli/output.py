"""How commands print: a table or sentence for people, one JSON document for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def console() -> Console:
    """Return a console on standard output that does not guess colours or widths where it is not a terminal."""
    return Console(file=sys.stdout, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 140)


def emit(document: Any, *, as_json: bool, text: Callable[[], None]) -> None:
    """Print ``document`` as JSON, or call ``text`` to print it for people."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, default=str))
    else:
        text()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table; cells are plain text, so nothing in them is read as markup."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(_plain(cell) for cell in row))
    return made


def _plain(cell: object) -> str:
    return "" if cell is None else str(cell).replace("[", "\\[")


def print_facts(facts: Mapping[str, object]) -> None:
    """Print name and value pairs, one a line."""
    for name, value in facts.items():
        click.echo(f"{name}: {value}")
