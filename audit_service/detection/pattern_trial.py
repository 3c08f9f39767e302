"""Try one regular expression on long hard texts; run as a script, it imports the standard library only.

Takes the pattern as its argument. The kernel ends the process when one text takes more than its share of processor
time, so the outcome does not depend on what else the machine does.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator

PROCESSOR_S = 0.5
LENGTH = 3000
_MANY_SIGNS = 40


def hard_texts(pattern: str) -> Iterator[str]:
    """Yield texts of one sign, and of two by turns, of those that the pattern names, with an end that fits nothing."""
    signs = sorted({sign for sign in pattern if sign.isalnum() or sign == " "} | {"a", "5", "中"})[:_MANY_SIGNS]
    for sign in signs:
        yield sign * LENGTH + "\x00"
    for left, right in zip(signs, [*signs[1:], signs[0]], strict=True):
        yield (left + right) * (LENGTH // 2) + "\x00"
    words = re.findall(r"[^\W_]+", pattern)
    for word in words[:_MANY_SIGNS]:
        yield word * (LENGTH // len(word)) + "\x00"


def main() -> None:
    """Run the trial."""
    pattern = re.compile(sys.argv[1])
    for text in hard_texts(sys.argv[1]):
        signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_S)
        for _ in pattern.finditer(text):
            pass


if __name__ == "__main__":
    main()
