"""A decoder child that is forked from a process with PyAV loaded, instead of started from nothing.

Starting Python and loading PyAV takes longer than decoding a short file. Twenty thousand children of the fuzz test run
the same code under the same limits, each in a process of its own; only the start is shared.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import av  # noqa: F401 - loaded once, before anything is forked

from audit_service.media import child, services

READ_BYTES = 1 << 16


class ForkedChild:
    """What ``services._ask`` wants of a child: its answer within a time, and how it ended."""

    def __init__(self, command: Sequence[str], **_options: Any) -> None:
        self.returncode: int | None = None
        self._output, writer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _answer(command[-1], writer)
        os.close(writer)

    def communicate(self, timeout: float | None = None) -> tuple[bytes, None]:
        """Return what the child wrote, once it ended.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        end = None if timeout is None else time.monotonic() + timeout
        parts: list[bytes] = []
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._output], [], [], left)[0]:
                raise subprocess.TimeoutExpired("child", timeout or 0.0)
            part = os.read(self._output, READ_BYTES)
            if not part:
                break
            parts.append(part)
        os.close(self._output)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return b"".join(parts), None


def _answer(argument: str, writer: int) -> NoReturn:
    """Be the child: do the request, write the answer, and end without what the parent would do at its end."""
    status = 1
    try:
        os.setsid()
        os.write(writer, json.dumps(child.main(argument)).encode())
        status = 0
    finally:
        os._exit(status)


class _Processes:
    """Stands where ``services`` looks for ``subprocess``."""

    DEVNULL, PIPE, TimeoutExpired = subprocess.DEVNULL, subprocess.PIPE, subprocess.TimeoutExpired
    Popen = ForkedChild


def fork_decoders() -> None:
    """Make this process fork its decoders; it must have no threads."""
    services.subprocess = _Processes  # type: ignore[assignment]
