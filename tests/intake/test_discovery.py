"""Which files are taken, and when: complete ones of known kinds, each once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit_service.intake.discovery import WatchState, discover, poll


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def state(clock: Seconds) -> WatchState:
    return WatchState(stable_for_s=5, clock=clock)


def write(folder: Path, *names: str) -> list[Path]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return [folder / name for name in names]


def test_a_folder_gives_recordings_and_logs_sorted_and_nothing_half_written(tmp_path: Path) -> None:
    taken = write(tmp_path, "a.wav", "b/c.MP3", "b/log.csv", "录音.amr")
    write(tmp_path, "a.json", ".hidden.wav", ".cache/x.wav", "~tmp.csv", "d.wav.part", "e.wav.crdownload", "notes.txt")
    (tmp_path / "link.wav").symlink_to(taken[0])
    (tmp_path / "loop").symlink_to(tmp_path)
    assert discover(tmp_path) == sorted(taken)


def test_a_named_file_is_taken_whatever_it_is_called_but_not_the_sidecar_of_a_recording(tmp_path: Path) -> None:
    odd, sidecar, double, orphan = write(tmp_path, "odd.xyz", "a.json", "b.wav.json", "orphan.json")
    write(tmp_path, "a.wav", "b.wav")
    assert [discover(path) for path in (odd, sidecar, double, orphan)] == [[odd], [], [], [orphan]]


def test_a_file_is_taken_once_and_only_after_it_was_stable(tmp_path: Path, state: WatchState, clock: Seconds) -> None:
    [path] = write(tmp_path, "log.csv")
    assert poll(tmp_path, state) == []
    clock.now = 4
    with path.open("a", encoding="utf-8") as stream:
        stream.write("more")
    assert poll(tmp_path, state) == []
    clock.now = 8
    assert poll(tmp_path, state) == []
    assert state.is_waiting
    clock.now = 9
    assert poll(tmp_path, state) == [path]
    clock.now = 100
    assert poll(tmp_path, state) == []
    assert path.exists()


def test_nothing_is_waited_for_once_all_is_taken(tmp_path: Path, state: WatchState, clock: Seconds) -> None:
    write(tmp_path, "log.csv")
    poll(tmp_path, state)
    clock.now = 5
    poll(tmp_path, state)
    assert not state.is_waiting


def test_a_change_that_keeps_the_size_counts_as_a_change(tmp_path: Path, state: WatchState, clock: Seconds) -> None:
    [path] = write(tmp_path, "log.csv")
    poll(tmp_path, state)
    clock.now = 4
    os.utime(path, ns=(1, 1))
    poll(tmp_path, state)
    clock.now = 6
    assert poll(tmp_path, state) == []


def test_a_done_marker_makes_a_file_complete_at_once(tmp_path: Path, state: WatchState) -> None:
    [path] = write(tmp_path, "log.csv")
    write(tmp_path, "log.csv.done")
    assert poll(tmp_path, state) == [path]


def test_a_recording_comes_again_when_its_sidecar_arrives(tmp_path: Path, state: WatchState, clock: Seconds) -> None:
    [path] = write(tmp_path, "call.wav")
    poll(tmp_path, state)
    clock.now = 5
    assert poll(tmp_path, state) == [path]
    write(tmp_path, "call.json")
    assert poll(tmp_path, state) == []
    clock.now = 10
    assert poll(tmp_path, state) == [path]


def test_fifty_files_of_a_burst_come_once_each(tmp_path: Path, state: WatchState, clock: Seconds) -> None:
    paths = write(tmp_path, *(f"{number:02}.wav" for number in range(50)))
    poll(tmp_path, state)
    clock.now = 5
    assert poll(tmp_path, state) == paths
    assert poll(tmp_path, state) == []


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path, state: WatchState) -> None:
    [path] = write(tmp_path, "log.csv")
    poll(tmp_path, state)
    path.unlink()
    poll(tmp_path, state)
    assert not state.is_waiting
