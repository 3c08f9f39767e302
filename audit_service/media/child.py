"""The child process that touches hostile media; run as a script, it imports the standard library and PyAV only.

It takes one JSON request as its argument, puts itself under limits before it looks at the file, and answers with one
JSON object: ``{"ok": {...}}`` or ``{"refused": code, "text": ...}``. Anything else means that it was stopped.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CONTAINERS = "wav,w64,mp3,aac,mov,mp4,ogg,amr,amrnb,amrwb,flac,asf,matroska,webm,caf,aiff,au,gsm"
"""Demuxers that may run. Playlists, which name other files and addresses, are not among them."""

CODECS = frozenset(
    [
        "pcm_s16le",
        "pcm_s16be",
        "pcm_u8",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_mulaw",
        "pcm_alaw",
        "gsm",
        "gsm_ms",
        "adpcm_ms",
        "adpcm_ima_wav",
        "adpcm_g726",
        "g722",
        "mp2",
        "mp2float",
        "mp3",
        "mp3float",
        "aac",
        "opus",
        "vorbis",
        "amrnb",
        "amrwb",
        "flac",
        "alac",
        "wmav1",
        "wmav2",
        "wmapro",
        "wmavoice",
    ]
)
"""Decoders that may run."""

SIGNATURES = (
    b"RIFF",
    b"ID3",
    b"fLaC",
    b"OggS",
    b"#!AMR",
    b"\x30\x26\xb2\x75",
    b"\x1a\x45\xdf\xa3",
    b"FORM",
    b"caff",
    b".snd",
)
LOWEST_RATE_HZ = 4000
MOST_DAMAGED_SHARE = 0.05
MISSING_S = 1.0
MISSING_SHARE = 0.02
LEAST_GAP_S = 0.05
DECODED_BY_PROBE = 25
MOST_WAVE_CHUNKS = 100
UNKNOWN_WAVE_SIZE = 0x7FFFF000
PR_SET_PDEATHSIG = 1


class Refusal(Exception):  # noqa: N818 - an answer to the parent, not a failure of the child
    """The file is refused: a reason code and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def confine(limits: dict[str, Any]) -> None:
    """Put this process under its limits; it also ends with its parent and without it after the wall seconds."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, limits["wall_s"] + 1)
    for kind, value in (
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["output_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


@contextmanager
def opened(source: str) -> Iterator[Any]:
    """Open the file with the allowed demuxers, the local file protocol and nothing else."""
    import av  # noqa: PLC0415 - after the limits, so that a broken library is confined too

    av.logging.set_level(None)
    if Path(source).stat().st_size == 0:
        raise Refusal("media.empty", "The file is empty (0 bytes).")
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        container = av.open(f"file:{source}", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, EOFError) as error:
        raise _unreadable(source) from error
    with container:
        yield container


def _unreadable(source: str) -> Refusal:
    with Path(source).open("rb") as file:
        head = file.read(16)
    if head.startswith(SIGNATURES) or head[4:8] == b"ftyp":
        return Refusal("media.truncated", "The file begins like a recording, but its index or sound is missing.")
    return Refusal("media.unknown_format", "The file is not in a sound format that the service reads.")


def the_track(container: Any, limits: dict[str, Any]) -> Any:
    """Return the one audio stream, checked; one thread decodes it."""
    tracks = container.streams.audio
    if not tracks:
        raise Refusal("media.not_audio", f"The file ({container.format.name}) has no audio track.")
    if len(tracks) > 1:
        raise Refusal("media.several_tracks", f"The file has {len(tracks)} audio tracks.")
    codec = tracks[0].codec_context
    if codec is None or codec.codec.name not in CODECS:
        raise Refusal("media.unknown_format", f"The sound is coded as {codec and codec.codec.name}, which is not read.")
    if codec.channels > limits["channels"]:
        raise Refusal("media.too_many_channels", f"The recording has {codec.channels} channels.")
    if codec.sample_rate < LOWEST_RATE_HZ or codec.channels < 1:
        raise Refusal("media.rate_too_low", f"The recording has {codec.sample_rate} samples a second.")
    codec.thread_count = 1
    _check_length(_declared_s(container, tracks[0]), limits)
    return tracks[0]


def _declared_s(container: Any, track: Any) -> float:
    if track.duration is not None:
        return float(track.duration * track.time_base)
    return (container.duration or 0) / 1_000_000


def _wave_s(source: str) -> float:
    """Return the seconds that a WAV header declares, 0 if it is no WAV or its recorder never wrote the length.

    FFmpeg shortens the declared length to what the file holds, so a broken transfer would go unnoticed.
    """
    with Path(source).open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return 0.0
        bytes_a_second = 0
        for _ in range(MOST_WAVE_CHUNKS):
            head = file.read(8)
            if len(head) < len(b"datasize"):
                return 0.0
            kind, size = head[:4], struct.unpack("<I", head[4:])[0]
            if kind == b"data":
                return size / bytes_a_second if bytes_a_second and size < UNKNOWN_WAVE_SIZE else 0.0
            start = file.tell()
            if kind == b"fmt ":
                bytes_a_second = struct.unpack("<I", file.read(12)[8:].ljust(4, b"\0"))[0]
            file.seek(start + size + size % 2)
    return 0.0


def _check_length(seconds: float, limits: dict[str, Any]) -> None:
    if seconds > limits["duration_s"]:
        raise Refusal(
            "media.too_long",
            f"The recording lasts {seconds:.0f} s or more; {limits['duration_s']:.0f} s are allowed.",
        )


def _check_whole(declared_s: float, found_s: float) -> None:
    if found_s <= 0:
        raise Refusal("media.empty", "The file holds no sound.")
    if declared_s - found_s > max(MISSING_S, MISSING_SHARE * declared_s):
        raise Refusal("media.truncated", f"The file declares {declared_s:.1f} s of sound and holds {found_s:.1f} s.")


class Decoding:
    """Decodes a track packet by packet and counts sound and damage."""

    def __init__(self, container: Any, request: dict[str, Any]) -> None:
        self.container = container
        self.limits = request["limits"]
        self.track = the_track(container, self.limits)
        self.declared_s = max(_declared_s(container, self.track), _wave_s(request["source"]))
        self.packets = 0
        self.damaged = 0
        self.packet_s = 0.0
        self.decoded_s = 0.0
        self.filled_s = 0.0
        self.begins_s: float | None = None
        self.changed = 0
        self.form: tuple[str, int, str] | None = None

    def read_packets(self) -> Iterator[Any]:
        """Yield the packets of the track; a read error ends the file where it happens.

        A rotten packet in the middle is met when it is decoded, not here.
        """
        import av  # noqa: PLC0415 - see ``opened``

        try:
            for packet in self.container.demux(self.track):
                self.packets += bool(packet.size)
                self.packet_s += float((packet.duration or 0) * packet.time_base) if packet.time_base else 0.0
                _check_length(self.packet_s, self.limits)
                yield packet
        except (av.error.InvalidDataError, av.error.OSError):
            return

    def frames(self, packet: Any) -> list[Any]:
        """Return the decoded frames of a packet, none if it is damaged.

        A flipped bit in the head of a packet makes it one of another rate or with other channels: it is lost too.
        """
        import av  # noqa: PLC0415 - see ``opened``

        try:
            frames = packet.decode()
        except (
            av.error.InvalidDataError,
            av.error.EOFError,
            av.error.PatchWelcomeError,
            av.error.PermissionError,  # what the AAC decoder says of channels that its header did not announce
        ):
            self.damaged += 1
            return []
        if not all(self._is_like_the_first(frame) for frame in frames):
            self.damaged += 1
            self.changed += 1
            return []
        return list(frames)

    def _is_like_the_first(self, frame: Any) -> bool:
        form = (frame.layout.name, frame.sample_rate, frame.format.name)
        self.form = self.form or form
        return form == self.form

    def sound(self, rate_hz: int) -> Iterator[Any]:
        """Yield the whole sound as 16-bit frames; silence stands where packets are lost, so that seconds stay true."""
        resampler = _resampler(self.track, rate_hz)
        for packet in self.read_packets():
            for frame in self.frames(packet):
                yield from self._silence_before(frame, rate_hz)
                self.decoded_s += frame.samples / frame.sample_rate
                _check_length(self.decoded_s, self.limits)
                frame.pts = None  # gaps in the time stamps would be filled or cut by the resampler
                yield from resampler.resample(frame)
        if self.decoded_s > 0:
            yield from resampler.resample(None)

    def _silence_before(self, frame: Any, rate_hz: int) -> Iterator[Any]:
        if frame.time is None:
            return
        if self.begins_s is None:
            self.begins_s = frame.time
        gap_s = frame.time - self.begins_s - self.decoded_s
        if gap_s < LEAST_GAP_S:
            return
        _check_length(self.decoded_s + gap_s, self.limits)
        self.decoded_s += gap_s
        self.filled_s += gap_s
        for first in range(0, round(gap_s * rate_hz), rate_hz):
            yield _silent_frame(self.track, rate_hz, min(rate_hz, round(gap_s * rate_hz) - first))

    def check_damage(self) -> None:
        """Refuse a file with too many damaged packets; a few lost ones are only counted."""
        if self.damaged <= max(1.0, MOST_DAMAGED_SHARE * self.packets):
            return
        if self.changed > self.damaged / 2:
            raise Refusal("media.damaged", "The channels or the rate change in the middle of the recording.")
        raise Refusal("media.damaged", f"{self.damaged} of {self.packets} packets cannot be decoded.")

    def finish(self) -> dict[str, Any]:
        """Return what was decoded; a file too damaged, empty or shorter than it declares is refused."""
        self.check_damage()
        _check_whole(self.declared_s, self.decoded_s)
        info = self.description(self.decoded_s)
        return {"info": info, "damaged_packets": self.damaged, "filled_s": self.filled_s}

    def description(self, duration_s: float) -> dict[str, Any]:
        """Return what the file is, as ``MediaInfo`` holds it."""
        codec = self.track.codec_context
        return {
            "container": self.container.format.name.split(",")[0],
            "codec": codec.codec.name,
            "channels": codec.channels,
            "sample_rate_hz": codec.sample_rate,
            "duration_s": duration_s,
            "has_video": any(stream.type == "video" for stream in self.container.streams),
        }


def probe(request: dict[str, Any]) -> dict[str, Any]:
    """Read all packets, decode the first ones, and return what the file is."""
    with opened(request["source"]) as container:
        decoding = Decoding(container, request)
        heard = 0
        for packet in decoding.read_packets():
            if decoding.packets <= DECODED_BY_PROBE:
                heard += sum(frame.samples for frame in decoding.frames(packet))
        decoding.packets = min(decoding.packets, DECODED_BY_PROBE)
        decoding.check_damage()
        found_s = (decoding.packet_s or decoding.declared_s) if heard else 0.0
        _check_whole(decoding.declared_s, found_s)
        return {"info": decoding.description(found_s)}


def decode(request: dict[str, Any]) -> dict[str, Any]:
    """Write the sound as interleaved 16-bit samples at the wanted rate and return what it is."""
    with opened(request["source"]) as container, Path(request["target"]).open("wb") as target:
        decoding = Decoding(container, request)
        for frame in decoding.sound(request["rate_hz"]):
            size = frame.samples * len(frame.layout.channels) * 2
            target.write(memoryview(frame.planes[0])[:size])
        return decoding.finish()


def render(request: dict[str, Any]) -> dict[str, Any]:
    """Write a FLAC rendition with the channels and the rate of the recording and return what the recording is."""
    import av  # noqa: PLC0415 - see ``opened``

    with opened(request["source"]) as container:
        decoding = Decoding(container, request)
        codec = decoding.track.codec_context
        with av.open(request["target"], "w", format="flac") as rendition:
            output = rendition.add_stream("flac", rate=codec.sample_rate, layout=codec.layout.name)
            for frame in decoding.sound(codec.sample_rate):
                frame.pts = None
                rendition.mux(output.encode(frame))
            answer = decoding.finish()
            rendition.mux(output.encode(None))
        return answer


def _resampler(track: Any, rate_hz: int) -> Any:
    import av  # noqa: PLC0415 - see ``opened``

    return av.AudioResampler(format="s16", layout=track.codec_context.layout, rate=rate_hz)


def _silent_frame(track: Any, rate_hz: int, samples: int) -> Any:
    import av  # noqa: PLC0415 - see ``opened``

    frame = av.AudioFrame(format="s16", layout=track.codec_context.layout, samples=samples)
    frame.sample_rate = rate_hz
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    return frame


ACTIONS = {"probe": probe, "decode": decode, "render": render}


def main(argument: str) -> dict[str, Any]:
    """Do one request and return the answer."""
    request = json.loads(argument)
    confine(request["limits"])
    try:
        return {"ok": ACTIONS[request["action"]](request)}
    except Refusal as refusal:
        return {"refused": refusal.code, "text": str(refusal)}
    except (MemoryError, ImportError):  # PyAV itself cannot be mapped into too small an address space
        return {"refused": "media.decoder_limit", "text": "Decoding needs more memory than is allowed."}
    except OSError as error:
        # PyAV reports a full disk, the size limit of a file and lack of memory with the system's error number
        return {
            "refused": "media.decoder_limit",
            "text": f"Decoding was stopped by the system: {error.strerror}.",
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
