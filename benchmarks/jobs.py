"""Transcription jobs a second of a worker process, one job at a time and several together, in one run.

For each way an instance of its own is set up (database, evidence, keys), copies of the sample calls are taken in by
the command that users run, and a worker process does the jobs. Counted is the time from the first job's start to the
last one's end, as the queue notes them: loading the weights is in it, setting up is not.

Run: python benchmarks/jobs.py [--calls FOLDER] [--copies 24] [--together 1,8]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from audit_service import embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
ENDED = "SELECT status::text, count(*) FROM procrastinate_jobs WHERE task_name = 'transcribe' GROUP BY status"
TOOK_S = """SELECT extract(epoch FROM max(at) - min(at)) FROM procrastinate_events AS event
            JOIN procrastinate_jobs AS job ON job.id = event.job_id
            WHERE job.task_name = 'transcribe' AND event.type IN ('started', 'succeeded')"""
SOUND_S = "SELECT sum(duration_s * channels) FROM recordings"
WORDS = """SELECT string_agg(text, '' ORDER BY reference, position) FROM segments
           JOIN transcripts ON transcripts.id = transcript_id JOIN recordings ON recordings.id = recording_id
           JOIN contact_attempts ON contact_attempts.id = attempt_id"""


def copied(calls: Path, copies: int, folder: Path) -> None:
    """Write copies of the calls with their sidecars; each has its own bytes and its own reference."""
    originals = sorted(calls.glob("*.wav"))
    for number in range(copies):
        original = originals[number % len(originals)]
        sidecar = json.loads(original.with_suffix(".json").read_text(encoding="utf-8"))
        sidecar["reference"] = f"{original.stem}-{number}"
        target = folder / f"{sidecar['reference']}.wav"
        # A chunk that players skip makes the bytes, and so the exhibit, another one.
        target.write_bytes(original.read_bytes() + b"note" + struct.pack("<II", 4, number))
        target.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")


def command(environment: dict[str, str], *arguments: str | Path) -> None:
    """Run a command of the service, as a user does."""
    subprocess.run(
        [sys.executable, "-m", "audit_service.cli", *map(str, arguments)],
        env=os.environ | environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@dataclass(frozen=True)
class Run:
    """What a way gave: seconds on the clock, of the processors and of sound; how jobs ended; the words of all calls."""

    took_s: float
    processor_s: float
    sound_s: float
    ended: dict[str, int]
    words: str


def run(calls: Path, copies: int, together: int, folder: Path) -> Run:
    """Do the jobs of a new instance with a worker process."""
    arrivals = folder / "arrivals"
    arrivals.mkdir()
    copied(calls, copies, arrivals)
    uri = embedded_postgres.start(folder / "instance")
    environment = {
        "AUDIT_INSTANCE_DIR": str(folder / "instance"),
        "DATABASE_URL": uri,
        "AUDIT_TRANSCRIBE_TOGETHER": str(together),
        "AUDIT_LOG_LEVEL": "WARNING",
    }
    for arguments in (("init",), ("migrate",), ("register", ROOT / "samples/registry.json"), ("ingest", arrivals)):
        command(environment, *arguments)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command(environment, "worker", "--queue", "transcribe", "--until-empty")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with psycopg.connect(uri) as connection:
        took_s, sound_s, words = (connection.execute(query).fetchall()[0][0] for query in (TOOK_S, SOUND_S, WORDS))
        return Run(float(took_s), processor_s, float(sound_s), dict(connection.execute(ENDED).fetchall()), words)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, default=ROOT / "samples/calls")
    parser.add_argument("--copies", type=int, default=24)
    parser.add_argument("--together", default="1,8", help="How many jobs at once, for each way.")
    given = parser.parse_args(arguments)
    print("together   jobs  ended            clock s  jobs/s  x real time  processor s")
    heard: set[str] = set()
    for together in map(int, given.together.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="jobs-"))
        try:
            done = run(given.calls, given.copies, together, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        heard.add(done.words)
        told = ", ".join(f"{count} {status}" for status, count in done.ended.items())
        speed = f"{given.copies / done.took_s:7.2f} {done.sound_s / done.took_s:12.1f} {done.processor_s:12.1f}"
        print(f"{together:8} {given.copies:6}  {told:16} {done.took_s:7.1f} {speed}")
    print("The words are the same in all ways." if len(heard) == 1 else f"The words differ: {len(heard)} versions.")


if __name__ == "__main__":
    main()
