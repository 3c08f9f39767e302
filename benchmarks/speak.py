"""Speak calls of the corpus: stereo telephone recordings of 8 kHz µ-law, the agent left and the others right.

Each call gets its voices, speeds, pitches and pauses from its name, so a call always sounds the same. Beside each
recording stand the seconds of its turns, without their words. Run, after ``pip install -r
benchmarks/requirements-speech.txt`` and ``npm pack kokoro-js@1.2.1``:

    python benchmarks/speak.py FOLDER --voices kokoro-js-1.2.1.tgz [--split tune] [--language zh]

``FOLDER`` lies outside the project: a recording of the test half gives its texts away.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt
from voices import RATE_HZ, Voices

import corpus

LINE_HZ = 8_000
BAND_HZ = (300, 3400)
NOISE_DB = -25.0
"""The noise of the line, in decibels below the speech of its side."""
LEVELS_DB = {"agent": -22.0, "borrower": -25.0, "third_party": -25.0}
PAUSES_S = (-0.15, 0.9)
SPEEDS = {"zh": (0.9, 1.05), "en": (0.95, 1.2)}
"""The Mandarin voices are slurred where they are made to hurry."""
PITCHES = (0.95, 1.05)
UNCLEAR = {"zf_xiaoni"}
"""A voice of which Whisper base has two characters in three wrong, where it has one in six of the others."""
SILENCE_S = 0.4
"""How long a turn without words lasts."""

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Manner:
    """How one person of a call speaks."""

    voice: str
    speed: float
    pitch: float
    level_db: float


def manners(item: corpus.Item, names: list[str], chance: np.random.Generator) -> dict[str, Manner]:
    """Return how each person of a call speaks: all with different voices."""
    letters = "z" if item.language == "zh" else "ab"
    drawn = chance.permutation([name for name in names if name[0] in letters])
    chosen = [str(name) for name in drawn if name not in UNCLEAR]
    return {
        speaker: Manner(voice, chance.uniform(*SPEEDS[item.language]), chance.uniform(*PITCHES), level_db)
        for (speaker, level_db), voice in zip(LEVELS_DB.items(), chosen[: len(LEVELS_DB)], strict=True)
    }


def said(text: str, manner: Manner, voices: Voices) -> Sound:
    """Return a turn at the rate of the line: pitch moved by resampling, the silence at its ends cut."""
    samples = voices.say(text, manner.voice, manner.speed / manner.pitch)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    if not loud.size:
        return np.zeros(round(SILENCE_S * LINE_HZ), np.float32)
    within = samples[max(0, loud[0] - RATE_HZ // 20) : loud[-1] + RATE_HZ // 20]
    at_line = resample_poly(within, 100, round(100 * RATE_HZ / LINE_HZ * manner.pitch))
    rms = float(np.sqrt(np.mean(at_line**2)))
    return np.asarray(at_line * (10 ** (manner.level_db / 20) / rms), np.float32)


def spoken(item: corpus.Item, voices: Voices) -> tuple[Sound, list[tuple[float, float]]]:
    """Return both channels of a call, and the seconds where each turn begins and ends."""
    chance = np.random.default_rng(int(hashlib.sha256(item.id.encode()).hexdigest(), 16))
    how = manners(item, voices.names, chance)
    voices.begin()
    turns: list[tuple[int, int, Sound]] = []
    place = LINE_HZ // 2
    for speaker, text in item.turns:
        sound = said(text, how[speaker], voices)
        turns.append((0 if speaker == "agent" else 1, place, sound))
        place += len(sound) + round(chance.uniform(*PAUSES_S) * LINE_HZ)
    end = max(start + len(sound) for _, start, sound in turns) + LINE_HZ // 2
    channels = np.zeros((2, end), np.float32)
    for channel, start, sound in turns:
        channels[channel, start : start + len(sound)] += sound
    seconds = [(round(start / LINE_HZ, 2), round((start + len(sound)) / LINE_HZ, 2)) for _, start, sound in turns]
    return on_the_line(channels, chance), seconds


def on_the_line(channels: Sound, chance: np.random.Generator) -> Sound:
    """Return two channels as a telephone line brings them: in its band, with its noise."""
    band = butter(4, BAND_HZ, "bandpass", fs=LINE_HZ, output="sos")
    levels = 10 ** ((np.array([LEVELS_DB["agent"], LEVELS_DB["borrower"]]) + NOISE_DB) / 20)
    noise = sosfilt(band, chance.standard_normal(channels.shape))
    noise *= levels[:, None] / np.sqrt(np.mean(noise**2, axis=1, keepdims=True))
    return np.asarray(sosfilt(band, channels) + noise, np.float32)


def write(path: Path, channels: Sound) -> None:
    """Write a stereo recording of 8 kHz µ-law; it appears whole or not at all."""
    whole = np.clip(channels.T * 32767, -32767, 32767).astype("<i2").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="stereo")
    frame.rate, frame.pts = LINE_HZ, 0
    unfinished = path.with_suffix(".part")
    with av.open(str(unfinished), "w", format="wav") as output:
        stream = output.add_stream("pcm_mulaw", rate=LINE_HZ, layout="stereo")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    unfinished.rename(path)


def main() -> None:
    """Write the recordings that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--voices", type=Path, required=True, help="the file kokoro-js-1.2.1.tgz")
    parser.add_argument("--split", default="tune", choices=corpus.SPLITS)
    parser.add_argument("--language", choices=("zh", "en"))
    parser.add_argument("--only", default="", help="a regular expression of names of calls")
    given = parser.parse_args()
    voices = Voices(given.voices)
    for item in corpus.calls(given.split):
        target = item.recording(given.folder)
        if target.exists() or given.language not in {None, item.language} or not re.search(given.only, item.id):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        channels, seconds = spoken(item, voices)
        target.with_suffix(".json").write_text(json.dumps(seconds), encoding="utf-8")
        write(target, channels)
        print(f"{item.id}: {len(channels[0]) / LINE_HZ:.0f} s", flush=True)


if __name__ == "__main__":
    main()
