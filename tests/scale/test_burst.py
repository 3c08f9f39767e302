"""Ten thousand files in a burst, the intake killed in the middle: none lost, none doubled, none read half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from audit_service.contacts.models import Message
from audit_service.custody.models import Exhibit
from audit_service.database import transaction
from audit_service.intake import queries
from audit_service.intake.models import IntakeItem, ItemState
from tests.intake.files import MESSAGE_ROW, registered

FILES = int(os.environ.get("BURST_FILES", "10000"))
ROWS = 3
KILLS = 3
PATIENCE_S = 3600.0


def write_slowly(folder: Path) -> None:
    """Write each file in two halves, as a slow copy does: the second line of each comes later."""
    header = ",".join(MESSAGE_ROW)
    for number in range(FILES):
        rows = [
            ",".join((MESSAGE_ROW | {"reference": f"{number}-{row}", "text": f"您好，第{number}份第{row}条"}).values())
            for row in range(ROWS)
        ]
        with (folder / f"{number:05}.csv").open("w", encoding="utf-8") as file:
            file.write(f"{header}\n{rows[0]}\n{rows[1][:20]}")
            file.flush()
            file.write(f"{rows[1][20:]}\n{rows[2]}\n")


def watching(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "audit_service.cli", "watch", str(folder), "--stable-for", "1"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def received() -> int:
    with transaction() as session:
        balance = queries.balance(session)
        assert balance.holds
        return balance.received


@pytest.mark.scale
@pytest.mark.timeout(PATIENCE_S)
def test_a_burst_of_files_survives_kills(app: Flask, environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "dropbox"
    folder.mkdir()
    with transaction() as session:
        registered(session)
    writer = threading.Thread(target=write_slowly, args=(folder,))
    writer.start()
    for kill in range(1, KILLS + 1):
        intake = watching(folder, environment)
        while received() < FILES * kill // (KILLS + 1):
            assert intake.poll() is None
            time.sleep(0.2)
        intake.send_signal(signal.SIGKILL)
        intake.wait()
    intake = watching(folder, environment)
    while received() < FILES:
        time.sleep(0.5)
    writer.join()
    time.sleep(3)
    intake.send_signal(signal.SIGKILL)
    intake.wait()
    with transaction() as session:
        assert queries.balance(session).done == FILES
        assert session.scalar(select(func.count()).select_from(Exhibit)) == FILES
        assert session.scalar(select(func.count()).select_from(Message)) == FILES * ROWS
        assert session.scalars(select(IntakeItem).where(IntakeItem.state != ItemState.DONE)).all() == []
