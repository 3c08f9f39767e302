"""Probes, decodes and renders media files, each in a child process under limits."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np

from audit_service.media.errors import MediaRefusedError
from audit_service.media.values import DecodedAudio, Limits, MediaInfo

SPEECH_RATE_HZ = 16_000
"""The rate that the speech engines take."""

_CHILD = Path(__file__).with_name("child.py")
_STOPPED_BY_LIMIT = {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM, -signal.SIGXFSZ}


def probe(path: Path, limits: Limits | None = None) -> MediaInfo:
    """Return what kind of recording ``path`` is; reads all its packets and decodes only the first.

    Raises:
        MediaRefusedError: it is no usable recording; ``reason_code`` says why.

    """
    answer = _ask({"action": "probe", "source": _absolute(path)}, limits or Limits())
    return MediaInfo(**answer["info"])


def decode(
    path: Path, limits: Limits | None = None, rate_hz: int = SPEECH_RATE_HZ, work_dir: Path | None = None
) -> DecodedAudio:
    """Decode all channels of ``path`` to 16-bit samples at ``rate_hz``.

    The samples stay in a file that has no name any more (it goes when the last reference goes), so a long recording
    costs disk and not memory. ``work_dir`` is where that file lives, by default the system's temporary folder.

    Raises:
        MediaRefusedError: it is no usable recording; ``reason_code`` says why.

    """
    with tempfile.TemporaryDirectory(prefix="media-", dir=work_dir) as folder:
        target = Path(folder) / "samples"
        request = {"action": "decode", "source": _absolute(path), "target": str(target), "rate_hz": rate_hz}
        answer = _ask(request, limits or Limits())
        info = MediaInfo(**answer["info"])
        samples = np.memmap(target, dtype="<i2", mode="r").reshape(-1, info.channels)
    made = derivation({"action": "decode", "rate_hz": rate_hz, "format": "s16"})
    return DecodedAudio(
        info, rate_hz, samples, answer["damaged_packets"], answer["filled_s"], f"{made['tool']}: {made['command']}"
    )


def derivation(request: Mapping[str, str | int]) -> dict[str, str]:
    """Return by what a copy is made: tool, version, and the exact command, without names of files."""
    return {
        "tool": f"PyAV {version('av')} (FFmpeg {av.ffmpeg_version_info})",
        "script_sha256": hashlib.sha256(_CHILD.read_bytes()).hexdigest(),
        "command": f"python -I {_CHILD.name} {json.dumps(request, sort_keys=True)}",
    }


def render_playback(path: Path, target: Path, limits: Limits | None = None) -> dict[str, str]:
    """Write ``target``, a FLAC of 16 bits with the channels and rate of ``path`` that browsers play.

    ``target`` appears whole or not at all.

    Returns:
        By what it was made: tool, version and command.

    Raises:
        MediaRefusedError: it is no usable recording; ``reason_code`` says why.

    """
    with tempfile.TemporaryDirectory(prefix="media-", dir=target.parent) as folder:
        partial = Path(folder) / "rendition.flac"
        _ask({"action": "render", "source": _absolute(path), "target": str(partial)}, limits or Limits())
        partial.replace(target)
    return derivation({"action": "render", "format": "flac"})


def _absolute(path: Path) -> str:
    return str(path.resolve(strict=True))


def _ask(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Run a child for one request and return its answer, or raise what it refused."""
    argument = json.dumps({**request, "limits": asdict(limits)})
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and script, no shell
        [sys.executable, "-I", str(_CHILD), argument],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=limits.wall_s)
    except subprocess.TimeoutExpired as error:
        raise MediaRefusedError("media.decoder_limit", f"Decoding took longer than {limits.wall_s:g} s.") from error
    finally:
        _end(child)
    return _answer_of(child.returncode, output)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _answer_of(status: int, output: bytes) -> dict[str, Any]:
    if status in _STOPPED_BY_LIMIT:
        raise MediaRefusedError(
            "media.decoder_limit",
            f"Decoding was stopped at its limits (signal {signal.Signals(-status).name}).",
        )
    if status != 0:
        raise MediaRefusedError("media.decoder_failed", f"The decoder ended without an answer (status {status}).")
    answer = json.loads(output)
    if "refused" in answer:
        raise MediaRefusedError(answer["refused"], answer["text"])
    result: dict[str, Any] = answer["ok"]
    return result
