"""Builds small recordings of every format that has an encoder, and broken ones."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np

SECONDS = 5


def tone(rate_hz: int, channels: int = 1, seconds: float = SECONDS) -> np.ndarray:
    """Return rows of interleaved samples; channel n sounds at 300 + 100 n Hz and half the loudness of n - 1."""
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    columns = [np.sin(2 * np.pi * (300 + 100 * n) * times) * (12000 / 2**n) for n in range(channels)]
    return np.stack(columns, axis=1).astype(np.int16)


def encode(path: Path, codec: str, rate_hz: int, layout: str = "mono", container: str | None = None) -> Path:
    channels = av.AudioLayout(layout).nb_channels
    frame = av.AudioFrame.from_ndarray(tone(rate_hz, channels).reshape(1, -1), format="s16", layout=layout)
    frame.rate, frame.pts = rate_hz, 0
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        if codec == "wmav2":
            stream.codec_context.bit_rate = 32_000
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=rate_hz,
            frame_size=stream.codec_context.frame_size,
        )
        for part in resampler.resample(frame) + resampler.resample(None):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return path


def wav(path: Path, rate_hz: int = 8000, channels: int = 1, seconds: float = SECONDS) -> Path:
    data = tone(rate_hz, channels, seconds).tobytes()
    path.write_bytes(wav_header(1, channels, rate_hz, 2 * channels, 16, len(data)) + data)
    return path


def wav_header(tag: int, channels: int, rate_hz: int, block: int, bits: int, size: int) -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def gsm_wav(path: Path, seconds: int = SECONDS) -> Path:
    """Write GSM 6.10 in WAV (Microsoft block of 65 bytes, 320 samples); no encoder exists: the blocks are silence."""
    blocks = seconds * 8000 // 320
    form = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    data = bytes(65 * blocks)
    fact = b"fact" + struct.pack("<II", 4, blocks * 320)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + fact + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def video(path: Path, *, with_sound: bool) -> Path:
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4", rate=5)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream("aac", rate=16000, layout="mono") if with_sound else None
        for number in range(10):
            image = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 20, dtype=np.uint8), format="rgb24")
            output.mux(picture.encode(image))
        output.mux(picture.encode(None))
        if sound is not None:
            for start in range(0, 32000, 1024):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
                frame.rate, frame.pts = 16000, start
                output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return path


def two_tracks(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("flac", rate=8000, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(tone(8000).reshape(1, -1), format="s16", layout="mono")
            frame.rate, frame.pts = 8000, 0
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return path
