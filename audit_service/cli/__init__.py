"""The command line ``audit-service``.

Exit codes that scripts may rely on: 0 done; 2 bad use or settings; 3 some input was refused, the rest went in;
4 the named thing does not exist; 5 sealed bytes or the ledger are not what was recorded; 6 that could not be told;
1 anything unforeseen.
"""

from __future__ import annotations

from typing import Any

import click

from audit_service import __version__
from audit_service.cli import (
    complaints,
    demo,
    evidence,
    instance,
    intake,
    keys,
    reports,
    rules,
    service,
    stateless,
    users,
    words,
)
from audit_service.errors import AuditError


class AuditGroup(click.Group):
    """A group that turns refusals into one clear line and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an ``AuditError`` becomes its text and exit code, never a traceback."""
        try:
            return super().invoke(ctx)
        except AuditError as error:
            click.echo(f"audit-service: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=AuditGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="audit-service")
def main() -> None:
    """Audit how overdue consumer loans are collected, and track what borrowers complain about.

    Settings come from the environment (docs/operations.md). Every command takes --json for machines.
    """


for command in (
    *instance.COMMANDS,
    *intake.COMMANDS,
    *stateless.COMMANDS,
    *complaints.COMMANDS,
    *reports.COMMANDS,
    *evidence.COMMANDS,
    *rules.COMMANDS,
    *users.COMMANDS,
    *keys.COMMANDS,
    *words.COMMANDS,
    *service.COMMANDS,
    *demo.COMMANDS,
):
    main.add_command(command)
