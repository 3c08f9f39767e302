"""How often the agent's side is found without being told, and how many of the wrong guesses the threshold catches.

Each call is heard three times: as it is, with its channels swapped, and mixed to one channel. Nothing is stated but
the language. "sure" are the calls whose score reaches the threshold; "wrong" are those in which most seconds of the
agent's turns were given to the other side. Baseline in the same run: the first to speak is the agent.

Run: python benchmarks/roles.py FOLDER… [--thresholds 0.5,0.7,0.8] [--each]
A folder holds stereo calls, the agent on the first channel; each file's name begins with its language.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit_service.media.services import decode
from audit_service.media.values import DecodedAudio, MediaInfo
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, Sound, transcribe_sounds
from audit_service.transcription.speech import find_speech, shared_s
from audit_service.transcription.values import TranscriptResult
from audit_service.transcription.weights import locate_weights

WAYS = ("as it is", "swapped", "mono")
FULL_SCALE = 32767


@dataclass(frozen=True)
class Told:
    """What was made of one call: the score, whether there was a guess at all, and whether it was right."""

    name: str
    way: str
    score: float
    is_guessed: bool
    is_right: bool
    is_first_right: bool


def ways(audio: DecodedAudio) -> Iterator[DecodedAudio]:
    """Yield a stereo call as it is, with its channels swapped, and mixed to one."""
    yield audio
    both = np.asarray(audio.samples)
    info = audio.info
    yield DecodedAudio(info, audio.rate_hz, np.ascontiguousarray(both[:, ::-1]), 0, 0.0, "swapped")
    mixed = np.clip(both.astype(np.int32).sum(axis=1), -FULL_SCALE, FULL_SCALE).astype("<i2").reshape(-1, 1)
    mono = MediaInfo(info.container, info.codec, 1, info.sample_rate_hz, info.duration_s, info.has_video)
    yield DecodedAudio(mono, audio.rate_hz, mixed, 0, 0.0, "mixed")


def told(call: Path, engine: FasterWhisperEngine) -> Iterator[Told]:
    """Yield what is made of the ways of one call."""
    audio = decode(call)
    speech = [find_speech(audio.channel(channel)) for channel in (0, 1)]
    given = ListeningOptions(call.name[:2], None, "borrower")
    sounds = [Sound(way, given) for way in ways(audio)]
    is_agent_first = speech[0][0].start_s < speech[1][0].start_s
    for way, result in zip(WAYS, transcribe_sounds(sounds, engine), strict=True):
        right, wrong = (seconds_of(result, speech[channel]) for channel in (0, 1))
        guessed = any(segment.speaker == "agent" for segment in result.segments)
        score = float(result.options.get("agent_score") or 0.0)
        yield Told(call.stem, way, score, guessed, guessed and right > wrong, is_agent_first)


def seconds_of(result: TranscriptResult, speech: list) -> float:
    """Return the share of the seconds of a channel's speech that were given to the agent."""
    spoken_s = sum(one.end_s - one.start_s for one in speech)
    agents = [segment for segment in result.segments if segment.speaker == "agent"]
    return sum(shared_s(one.start_s, one.end_s, speech) for one in agents) / spoken_s


def main() -> None:
    """Print a table for each way, and each call if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--thresholds", default="0.5,0.7,0.8,0.9")
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    engine = FasterWhisperEngine(locate_weights(None, Path(tempfile.gettempdir()) / "weights"))
    calls = sorted(call for folder in given.folders for call in folder.glob("*.wav"))
    found = [one for call in calls for one in told(call, engine)]
    if given.each:
        for one in found:
            print(f"  {one.name} {one.way}: score {one.score:.2f}, {'right' if one.is_right else 'wrong or none'}")
    thresholds = [float(text) for text in given.thresholds.split(",")]
    head = "".join(f"  sure at {threshold} (wrong)" for threshold in thresholds)
    print(f"way        calls  no guess  wrong  first speaks: wrong{head}")
    for way in WAYS:
        own = [one for one in found if one.way == way]
        guessed = [one for one in own if one.is_guessed]
        row = f"{way:10} {len(own):5} {len(own) - len(guessed):9} {sum(not one.is_right for one in guessed):6}"
        row += f" {sum(not one.is_first_right for one in own):20}"
        for threshold in thresholds:
            sure = [one for one in guessed if one.score >= threshold]
            row += f" {len(sure):12} ({sum(not one.is_right for one in sure)})".rjust(21)
        print(row)


if __name__ == "__main__":
    main()
