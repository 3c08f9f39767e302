"""How many characters are written where nobody speaks, with and without the sieve, and what the sieve takes of speech.

Speechless sounds are made here: line noise, the Chinese and the American ring tone, the busy tone, keys, and hold music
(chords of plucked strings with a bass, three tunes). Speech: all audio of the folders given.

Run: python benchmarks/inventions.py [FOLDER…]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ, decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.suppression import Sieve
from audit_service.transcription.values import HeardPassage
from audit_service.transcription.weights import locate_weights

Samples = NDArray[np.float32]
SECONDS = 24
TUNES = {"hold music 1": (0, 4, 7, 9), "hold music 2": (0, 3, 8, 10), "hold music 3": (0, 5, 7, 4)}


def sounds() -> Iterator[tuple[str, Samples]]:
    """Yield sounds without speech, at the level of a telephone."""
    rate, dice = SPEECH_RATE_HZ, np.random.default_rng(1)
    times = np.arange(SECONDS * rate) / rate
    yield "line noise", (dice.normal(0, 0.01, len(times))).astype(np.float32)
    yield "loud noise", (dice.normal(0, 0.08, len(times))).astype(np.float32)
    for name, tones, on_s, off_s in (
        ("ring tone (CN)", (450,), 1.0, 4.0),
        ("ring tone (US)", (440, 480), 2.0, 4.0),
        ("busy tone", (450,), 0.35, 0.35),
    ):
        sound = sum(np.sin(2 * np.pi * tone * times) for tone in tones) * 0.15
        yield name, (sound * (times % (on_s + off_s) < on_s)).astype(np.float32)
    keys = np.sin(2 * np.pi * 770 * times) + np.sin(2 * np.pi * 1336 * times)
    yield "keys", (keys * 0.1 * (times % 1.3 < 0.15)).astype(np.float32)
    for name, steps in TUNES.items():
        yield name, tune(steps, times)


def tune(steps: Sequence[int], times: NDArray[np.float64]) -> Samples:
    """Return a tune: a note a third of a second, with harmonics that fade, over a slow bass."""
    beat = 0.33
    sound = np.zeros(len(times))
    for number in range(int(times[-1] / beat)):
        start = number * beat
        note = 220 * 2 ** ((steps[number % len(steps)] + 12 * (number // 8 % 2)) / 12)
        since = np.clip(times - start, 0, None)
        for harmonic in range(1, 6):
            sound += (times >= start) * np.exp(-4 * since) * np.sin(2 * np.pi * note * harmonic * since) / harmonic
    bass = np.sin(2 * np.pi * 110 * 2 ** (np.floor(times / 2.64) % 4 * 5 / 12) * times)
    return ((sound + bass) / 12).astype(np.float32)


def characters(passages: Sequence[HeardPassage]) -> int:
    """Return how many letters, digits and characters were written."""
    return sum(character.isalnum() for passage in passages for character in passage.text)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    folders = parser.parse_args().folders
    with tempfile.TemporaryDirectory() as cache:
        engine = FasterWhisperEngine(locate_weights(None, Path(cache)))
        print(f"{'characters written of':28s} {'Whisper':>8s} {'ours':>6s}")
        for name, samples in sounds():
            for language in ("zh", "en"):
                report(f"{name}, {language}", engine.listen(samples, language), samples)
        for folder in folders:
            for file in sorted([*folder.glob("*.wav"), *folder.glob("*.flac")]):
                audio = decode(file)
                for channel in range(audio.channel_count):
                    samples = audio.channel(channel)
                    report(
                        f"{file.stem[:24]} {channel}", engine.listen(samples, file.stem[:2]), samples, is_speech=True
                    )


def report(name: str, heard: Sequence[HeardPassage], samples: Samples, *, is_speech: bool = False) -> None:
    """Print a line; of speech only where something was taken."""
    sieve = Sieve(samples)
    ours = sieve.said(heard)
    if not is_speech or len(ours) < len(heard):
        taken = ", ".join(passage.text for passage in heard if passage not in ours)
        print(f"{name:28s} {characters(heard):8d} {characters(ours):6d}  {dict(sieve.counts) or ''} {taken[:60]}")


if __name__ == "__main__":
    main()
