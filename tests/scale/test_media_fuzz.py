"""Ten thousand damaged recordings (seeded): each is read or refused with a known reason, and nothing is left behind."""

from __future__ import annotations

import itertools
import os
import random
import struct
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from audit_service.media.errors import REMEDIES, MediaRefusedError
from audit_service.media.services import decode, probe
from audit_service.media.values import Limits
from tests.media.media_files import encode, wav
from tests.scale.forked_decoder import fork_decoders

FILES = int(os.environ.get("FUZZ_FILES", "10000"))
SEED = 20261124
LIMITS = Limits(wall_s=30.0, cpu_s=10, output_bytes=64 * 1024**2, duration_s=600.0)
FORMS = (
    ("a.wav", "pcm_s16le", 8000, "stereo", None),
    ("b.wav", "pcm_mulaw", 8000, "stereo", None),
    ("c.flac", "flac", 8000, "stereo", None),
    ("d.mp3", "libmp3lame", 16000, "stereo", None),
    ("e.m4a", "aac", 16000, "stereo", None),
    ("f.ogg", "libopus", 48000, "stereo", None),
    ("g.webm", "libopus", 48000, "mono", None),
    ("h.amr", "libopencore_amrnb", 8000, "mono", None),
    ("i.wma", "wmav2", 16000, "mono", "asf"),
)
EXTREMES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000)
Damage = Callable[[random.Random, bytearray], None]


def flip_bits(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.randint(1, 200)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def cut_off(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(len(data)) :]


def cut_out(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    del data[start : start + dice.randint(1, 4000)]


def repeat(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    data[start:start] = data[start : start + dice.randint(1, 2000)] * dice.randint(1, 50)


def lie(dice: random.Random, data: bytearray) -> None:
    """Write extreme numbers over what may be lengths and counts."""
    reach = min(len(data) - 4, dice.choice((64, 512, len(data) - 4)))
    for _ in range(dice.randint(1, 6)):
        struct.pack_into(dice.choice("<>") + "I", data, dice.randrange(max(1, reach)), dice.choice(EXTREMES))


def overwrite(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    size = min(dice.randint(1, 3000), len(data) - start)
    data[start : start + size] = dice.randbytes(size)


DAMAGES: tuple[Damage, ...] = (flip_bits, cut_off, cut_out, repeat, lie, overwrite)


def damaged(number: int, wholes: list[bytes]) -> bytes:
    """Return the damaged file of a number: always the same."""
    dice = random.Random(f"{SEED}-{number}")  # noqa: S311 - the same damage each time is what is wanted
    data = bytearray(wholes[number % len(wholes)])
    for _ in range(dice.randint(1, 3)):
        if len(data) > 8:
            dice.choice(DAMAGES)(dice, data)
    return bytes(data)


def outcome(number: int, wholes: list[bytes], folder: Path) -> str:
    """Return what becomes of a damaged file: ``read``, or the reason code of its refusal."""
    file = folder / f"{number:05}.bin"
    file.write_bytes(damaged(number, wholes))
    work = folder / f"{number:05}.work"
    work.mkdir()
    try:
        info = probe(file, LIMITS)
        audio = decode(file, LIMITS, work_dir=work)
        assert info.channels >= 1
        assert audio.channel(0).size == pytest.approx(audio.duration_s * audio.rate_hz, abs=1)
        said = "read"
    except MediaRefusedError as refusal:
        said = refusal.reason_code
    file.unlink()
    work.rmdir()  # fails where anything was left behind
    return said


@pytest.mark.scale
@pytest.mark.timeout(5400)
def test_damaged_recordings_are_read_or_refused_with_a_reason_and_leave_nothing(tmp_path: Path) -> None:
    wholes = [encode(tmp_path / form[0], *form[1:]).read_bytes() for form in FORMS]
    wholes.append(wav(tmp_path / "j.wav", channels=2).read_bytes())
    begun = time.monotonic()
    with get_context("spawn").Pool(os.cpu_count(), fork_decoders) as pool:
        jobs = zip(range(FILES), itertools.repeat(wholes), itertools.repeat(tmp_path))
        said = Counter(pool.starmap(outcome, jobs, chunksize=20))
    print(f"{FILES} files in {time.monotonic() - begun:.0f} s: {dict(said.most_common())}")
    assert sum(said.values()) == FILES
    assert set(said) <= {"read", *REMEDIES}
    assert "media.decoder_failed" not in said, "what the decoder meets is foreseen"
    assert said["read"] > 0
    assert len(said) > 3
