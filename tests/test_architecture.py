"""The shape of the code: what the import check cannot see, and the limits on size and names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    [*ROOT.glob("audit_service/**/*.py"), *ROOT.glob("evidence_store/**/*.py"), *ROOT.glob("tests/**/*.py")]
)
PRODUCT = [path for path in SOURCES if "tests" not in path.parts]
ENTRY_POINTS = [path for path in PRODUCT if path.relative_to(ROOT).parts[1] in {"web", "cli", "jobs"}]
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py", "manager.py", "base.py"}


@pytest.mark.parametrize("module", ["audit_service.detection", "evidence_store"])
def test_pure_packages_load_no_framework(module: str) -> None:
    frameworks = ("flask", "sqlalchemy", "procrastinate")
    code = f"import sys, {module}; print([m for m in {frameworks} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_entry_points_only_hand_the_session_on(path: Path) -> None:
    """A view may pass ``session`` to a use-case; it may not call anything on it. ``db.engine`` names the database."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"session", "db"}
        and node.attr != "engine"
    ]
    assert used == []


def test_no_module_has_more_than_500_lines() -> None:
    assert [path for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > 500] == []


def test_no_function_has_more_than_60_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in SOURCES if path.name in FORBIDDEN_NAMES] == []


def test_no_bare_noqa() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PRODUCT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# noqa" in line and "# noqa: " not in line
    ]
    assert bare == []
