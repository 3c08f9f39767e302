"""``python -m evidence_store verify PACKAGE [--json]``: check an export package offline.

Exit codes: 0 holds, 1 does not hold, 2 bad use, 3 could not be checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from evidence_store.package import verify_package
from evidence_store.verify import Outcome, Verdict

EXIT = {Outcome.HOLDS: 0, Outcome.DOES_NOT_HOLD: 1, Outcome.COULD_NOT_CHECK: 3}


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="evidence_store", description="Check an export package offline.")
    parser.add_argument("command", choices=["verify"])
    parser.add_argument("package", type=Path)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document")
    given = parser.parse_args(arguments)
    if not given.package.is_dir():
        parser.error(f"{given.package} is not a folder")
    verdict = verify_package(given.package)
    print(_document(verdict) if given.as_json else _text(verdict))
    return EXIT[verdict.outcome]


def _document(verdict: Verdict) -> str:
    problems = [
        {"code": problem.code, "where": problem.where, "message": problem.message} for problem in verdict.problems
    ]
    return json.dumps(
        {"outcome": verdict.outcome, "checked": dict(verdict.checked), "problems": problems}, ensure_ascii=False
    )


def _text(verdict: Verdict) -> str:
    lines = [verdict.outcome.value.replace("_", " ")]
    lines += [f"  {thing} checked: {number}" for thing, number in verdict.checked.items()]
    lines += [f"  - {problem}" for problem in verdict.problems]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
