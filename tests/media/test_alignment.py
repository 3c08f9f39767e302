"""Two recordings of one call: what one of them lacks is named to half a second, whatever its codec."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from audit_service.media.alignment import align
from audit_service.media.services import decode
from tests.conftest import SAMPLES

CUT_S = 8.0


def written(path: Path, samples: np.ndarray, rate_hz: int, codec: str, out_rate_hz: int) -> Path:
    """Write both channels mixed, as a borrower's telephone would record them."""
    mixed = np.ascontiguousarray(samples.mean(axis=1).astype(np.int16)[None])
    frame = av.AudioFrame.from_ndarray(mixed, format="s16", layout="mono")
    frame.rate, frame.pts = rate_hz, 0
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=out_rate_hz, layout="mono")
        stream.codec_context.open()
        context = stream.codec_context
        resampler = av.AudioResampler(
            format=context.format, layout="mono", rate=out_rate_hz, frame_size=context.frame_size
        )
        for part in resampler.resample(frame) + resampler.resample(None):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "at_s", "file", "codec", "rate_hz"),
    [
        ("zh-01", 10.3, "cut.mp3", "libmp3lame", 16000),
        ("zh-01", 27.3, "cut.amr", "libopencore_amrnb", 8000),
        ("en-01", 5.0, "cut.amr", "libopencore_amrnb", 8000),
        ("zh-08", 11.9, "cut.mp3", "libmp3lame", 16000),
    ],
)
def test_eight_seconds_cut_out_are_located_in_another_codec(
    tmp_path: Path, name: str, at_s: float, file: str, codec: str, rate_hz: int
) -> None:
    whole = decode(SAMPLES / "calls" / f"{name}.wav")
    first, last = (int(second * whole.rate_hz) for second in (at_s, at_s + CUT_S))
    cut = np.concatenate([whole.samples[:first], whole.samples[last:]])
    found = align(whole, decode(written(tmp_path / file, cut, whole.rate_hz, codec, rate_hz)))
    assert found.is_same_call
    [missing] = found.missing
    assert missing.absent_from == "second"
    assert missing.start_s == pytest.approx(at_s, abs=0.5)
    assert missing.end_s == pytest.approx(at_s + CUT_S, abs=0.5)


def test_the_same_call_in_another_codec_lacks_nothing(tmp_path: Path) -> None:
    whole = decode(SAMPLES / "calls" / "zh-03.wav")
    other = written(tmp_path / "same.amr", whole.samples // 4, whole.rate_hz, "libopencore_amrnb", 8000)
    found = align(whole, decode(other))
    assert (found.is_same_call, found.missing) == (True, [])


def test_what_only_one_has_before_and_after_is_told(tmp_path: Path) -> None:
    whole = decode(SAMPLES / "calls" / "zh-01.wav")
    part = whole.samples[5 * whole.rate_hz : 30 * whole.rate_hz]
    found = align(whole, decode(written(tmp_path / "part.mp3", part, whole.rate_hz, "libmp3lame", 16000)))
    before, after = found.missing
    assert (before.absent_from, before.start_s) == ("second", 0.0)
    assert before.end_s == pytest.approx(5.0, abs=0.5)
    assert after.start_s == pytest.approx(30.0, abs=0.5)


def test_other_calls_and_silence_are_not_the_same_call(tmp_path: Path) -> None:
    one, other = (decode(SAMPLES / "calls" / f"{name}.wav") for name in ("zh-01", "zh-08"))
    assert not align(one, other).is_same_call
    silence = decode(written(tmp_path / "s.mp3", one.samples * 0, one.rate_hz, "libmp3lame", 16000))
    assert not align(one, silence).is_same_call
