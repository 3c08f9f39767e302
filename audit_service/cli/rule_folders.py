"""The rule folders that commands about rules work on."""

from __future__ import annotations

from pathlib import Path

import click

from audit_service.settings import setting_from_environment

folders_argument = click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))


def rule_folders(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders given, else those of the settings; needs no instance."""
    configured: tuple[Path, ...] = setting_from_environment("rule_folders")
    return tuple(folder.resolve() for folder in given) or configured
