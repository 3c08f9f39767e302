from __future__ import annotations

import os
import re
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from audit_service.media.errors import REMEDIES, MediaRefusedError
from audit_service.media.services import decode, probe, render_playback
from audit_service.media.values import Limits
from tests.media.media_files import SECONDS, encode, gsm_wav, two_tracks, video, wav, wav_header

FORMATS = [
    ("call.wav", "pcm_s16le", 8000, "stereo", None),
    ("call.wav", "pcm_mulaw", 8000, "stereo", None),
    ("call.wav", "pcm_alaw", 8000, "mono", None),
    ("call.wav", "adpcm_ms", 8000, "mono", None),
    ("call.flac", "flac", 8000, "stereo", None),
    ("call.mp3", "libmp3lame", 16000, "stereo", None),
    ("call.m4a", "aac", 16000, "stereo", None),
    ("call.aac", "aac", 16000, "mono", "adts"),
    ("call.ogg", "libopus", 48000, "stereo", None),
    ("call.webm", "libopus", 48000, "mono", None),
    ("call.amr", "libopencore_amrnb", 8000, "mono", None),
    ("call.wma", "wmav2", 16000, "mono", "asf"),
]


def running_children() -> list[str]:
    """Return the processes whose parent is this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            found.append(status.parent.name)
    return found


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def reason(action, *arguments) -> str:
    with pytest.raises(MediaRefusedError) as caught:
        action(*arguments)
    assert caught.value.remedy
    return caught.value.reason_code


@pytest.mark.parametrize(("name", "codec", "rate_hz", "layout", "container"), FORMATS)
def test_decodes_each_format_to_its_length_and_loudness(tmp_path, name, codec, rate_hz, layout, container):
    file = encode(tmp_path / name, codec, rate_hz, layout, container)

    info = probe(file)
    audio = decode(file)

    assert info.channels == audio.channel_count == (2 if layout == "stereo" else 1)
    assert info.sample_rate_hz == rate_hz
    assert info.duration_s == pytest.approx(SECONDS, abs=0.2)
    assert audio.rate_hz == 16000
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.2)
    assert (audio.damaged_packets, audio.filled_s) == (0, 0)
    assert loudness(audio.channel(0)) == pytest.approx(12000 / 32768 / 2**0.5, rel=0.25)
    if layout == "stereo":
        assert loudness(audio.channel(1)) == pytest.approx(loudness(audio.channel(0)) / 2, rel=0.15)


def test_gsm_in_wav_is_decoded_to_its_length(tmp_path):
    file = gsm_wav(tmp_path / "call.wav")

    assert probe(file).codec == "gsm_ms"
    assert decode(file).duration_s == pytest.approx(SECONDS)


def test_format_is_found_from_the_content_and_not_from_the_name(tmp_path):
    file = encode(tmp_path / "call.amr", "libopencore_amrnb", 8000)

    assert probe(file.rename(tmp_path / "call.wav")).codec == "amrnb"


def test_each_of_eight_channels_is_kept_apart(tmp_path):
    audio = decode(wav(tmp_path / "call.wav", channels=8, seconds=1))

    levels = [loudness(audio.channel(n)) for n in range(8)]
    assert audio.channel_count == 8
    assert all(quieter == pytest.approx(louder / 2, rel=0.1) for louder, quieter in pairwise(levels))


def test_a_part_of_a_channel_is_read_by_seconds(tmp_path):
    audio = decode(wav(tmp_path / "call.wav"))

    part = audio.channel(0, 1.0, 2.5)

    assert part.dtype == np.float32
    assert np.array_equal(part, audio.channel(0)[16000:40000])


def test_sound_of_a_video_is_used_and_its_picture_ignored(tmp_path):
    file = video(tmp_path / "screen.mp4", with_sound=True)

    assert probe(file).has_video
    assert decode(file).duration_s == pytest.approx(2, abs=0.2)


def test_wav_whose_recorder_never_wrote_the_length_is_read_to_its_end(tmp_path):
    file = wav(tmp_path / "call.wav")
    data = file.read_bytes()[44:]
    file.write_bytes(wav_header(1, 1, 8000, 2, 16, 0)[:-4] + b"\xff\xff\xff\xff" + data)

    assert decode(file).duration_s == pytest.approx(SECONDS)


def broken_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Return a file for each defect, with the reason code that it must get."""
    whole = {
        "wav": wav(folder / "whole.wav").read_bytes(),
        "flac": encode(folder / "whole.flac", "flac", 8000).read_bytes(),
        "m4a": encode(folder / "whole.m4a", "aac", 16000).read_bytes(),
        "mp3": encode(folder / "whole.mp3", "libmp3lame", 16000).read_bytes(),
    }
    files = {}
    for kind, data in whole.items():
        files[f"half_{kind}"] = (data[: len(data) // 2], "media.truncated")
    files |= {
        "zero_length": (b"", "media.empty"),
        "header_only": (wav_header(1, 1, 8000, 2, 16, 0), "media.empty"),
        "text": ("工号,时间\n1109,16:20\n".encode() * 2000, "media.unknown_format"),
        "noise": (np.random.default_rng(1).bytes(20000), "media.unknown_format"),
        "playlist": (b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n", "media.unknown_format"),
        "join_list": (b"ffconcat version 1.0\nfile whole.wav\n", "media.unknown_format"),
        "unread_codec": (wav_header(0x9999, 1, 8000, 2, 16, 16000) + bytes(16000), "media.unknown_format"),
    }
    built = {name: (folder / name, code) for name, (_, code) in files.items()}
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.writestr("call.wav", bytes(100_000))
    built["zip"] = (folder / "zip", "media.unknown_format")
    built["picture_only"] = (video(folder / "silent.mp4", with_sound=False), "media.not_audio")
    built["two_tracks"] = (two_tracks(folder / "tracks.mka"), "media.several_tracks")
    built["ten_channels"] = (wav(folder / "ten.wav", channels=10, seconds=1), "media.too_many_channels")
    built["one_kilohertz"] = (wav(folder / "slow.wav", rate_hz=1000), "media.rate_too_low")
    return built


def test_each_broken_file_is_refused_with_its_reason_by_probe_decode_and_render(tmp_path):
    for name, (file, code) in broken_files(tmp_path).items():
        assert (name, reason(probe, file)) == (name, code)
        assert (name, reason(decode, file)) == (name, code)
        assert (name, reason(render_playback, file, tmp_path / "out.flac")) == (name, code)
    assert not (tmp_path / "out.flac").exists()


def test_lost_sound_becomes_silence_so_that_later_seconds_stay_true_and_a_rotten_file_is_refused(tmp_path):
    data = bytearray(encode(tmp_path / "call.flac", "flac", 8000).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "bit.flac").write_bytes(data)
    quarter = len(data) // 4
    data[quarter:-quarter] = np.random.default_rng(7).bytes(len(data[quarter:-quarter]))
    (tmp_path / "rotten.flac").write_bytes(data)

    audio = decode(tmp_path / "bit.flac")

    whole = decode(tmp_path / "call.flac")
    assert 0 < audio.filled_s < 0.5
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.01)
    assert np.abs(audio.channel(0, 3, 4.9) - whole.channel(0, 3, 4.9)).max() < 0.05
    assert reason(decode, tmp_path / "rotten.flac") in {"media.damaged", "media.truncated"}


def test_recording_longer_than_allowed_is_refused_by_what_it_declares_and_by_what_it_holds(tmp_path):
    declared = wav(tmp_path / "call.wav")
    held = encode(tmp_path / "call.aac", "aac", 16000, container="adts")

    assert reason(probe, declared, Limits(duration_s=3)) == "media.too_long"
    assert reason(decode, held, Limits(duration_s=3)) == "media.too_long"


@pytest.mark.parametrize(
    "limits",
    [
        Limits(wall_s=0.02),
        Limits(cpu_s=0),
        Limits(memory_bytes=60 * 1024**2),
        Limits(output_bytes=1000),
    ],
    ids=["wall", "cpu", "memory", "output"],
)
def test_child_above_a_limit_is_reported_and_leaves_nothing(tmp_path, limits):
    file = encode(tmp_path / "call.mp3", "libmp3lame", 16000)
    work_dir = tmp_path / "work"
    work_dir.mkdir()

    assert reason(lambda: decode(file, limits, work_dir=work_dir)) == "media.decoder_limit"
    assert reason(render_playback, file, work_dir / "out.flac", limits) == "media.decoder_limit"

    assert list(work_dir.iterdir()) == []
    assert running_children() == []


def test_decoding_leaves_no_file_while_the_samples_are_still_readable(tmp_path):
    work_dir = tmp_path / "work"
    work_dir.mkdir()

    audio = decode(wav(tmp_path / "call.wav"), work_dir=work_dir)

    assert list(work_dir.iterdir()) == []
    assert loudness(audio.channel(0)) > 0.2


def test_playback_keeps_channels_rate_and_every_sample(tmp_path):
    source = encode(tmp_path / "call.wav", "pcm_mulaw", 8000, "stereo")

    render_playback(source, tmp_path / "call.flac")

    info = probe(tmp_path / "call.flac")
    assert (info.codec, info.channels, info.sample_rate_hz) == ("flac", 2, 8000)
    original, rendition = decode(source, rate_hz=8000), decode(tmp_path / "call.flac", rate_hz=8000)
    assert np.array_equal(original.samples, rendition.samples)


def test_child_sees_no_environment_of_the_service(tmp_path, monkeypatch):
    """A secret in the environment must not be readable from a process that hostile bytes may take over."""
    monkeypatch.setenv("AUDIT_MASTER_KEY", "secret")
    seen = []
    popen = __import__("subprocess").Popen

    def recording(*arguments, **options):
        seen.append(options["env"])
        return popen(*arguments, **options)

    monkeypatch.setattr("audit_service.media.services.subprocess.Popen", recording)
    probe(wav(tmp_path / "call.wav"))

    assert seen == [{"LC_ALL": "C.UTF-8"}]


def test_missing_file_is_the_callers_error_and_not_a_refusal_of_media(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "absent.wav")


def test_every_reason_code_of_the_child_has_a_remedy():
    child = Path("audit_service/media/child.py").read_text(encoding="utf-8")
    used = {code.strip('"') for code in __import__("re").findall(r'"media\.[a-z_]+"', child)}

    assert used <= set(REMEDIES)
    assert len(used) >= 9


def test_a_day_of_silence_in_a_few_bytes_is_refused_and_not_unpacked(tmp_path):
    """A frame of AMR without sound is one byte: 24 hours are 4.3 MB and would be 2.8 GB of samples; a WAV says so."""
    day = 24 * 3600
    bomb, sparse = tmp_path / "call.amr", tmp_path / "call.wav"
    bomb.write_bytes(b"#!AMR\n" + b"\x7c" * (day * 50))
    sparse.write_bytes(wav_header(1, 1, 8000, 2, 16, day * 16000))
    with sparse.open("r+b") as stream:
        stream.truncate(44 + day * 16000)
    work_dir = tmp_path / "work"
    work_dir.mkdir()

    for file in (bomb, sparse):
        assert reason(probe, file) == "media.too_long"
        assert reason(lambda: decode(file, work_dir=work_dir)) == "media.too_long"  # noqa: B023 - called at once
    assert list(work_dir.iterdir()) == []


def test_an_archive_with_a_recordings_name_is_refused_unopened(tmp_path):
    """42 kB that unpack to gigabytes: nothing unpacks archives, whatever they are called."""
    file = tmp_path / "call.wav"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("call.wav", bytes(20_000_000))

    assert file.stat().st_size < 50_000
    assert reason(probe, file) == "media.unknown_format"


def test_a_copy_says_by_what_it_was_made(tmp_path):
    source = wav(tmp_path / "call.wav")

    made = render_playback(source, tmp_path / "call.flac")

    assert made["tool"].startswith("PyAV ")
    assert "FFmpeg" in made["tool"]
    assert made["command"] == 'python -I child.py {"action": "render", "format": "flac"}'
    assert len(made["script_sha256"]) == 64
    assert decode(source).made_by.endswith('{"action": "decode", "format": "s16", "rate_hz": 16000}')


def heads(mp3: bytes) -> list[int]:
    """Return where frames of an MP3 at 16 kHz and 48 kbit/s begin (ISO 13818-3, layer III)."""
    return [found.start() for found in re.finditer(rb"\xff\xf3\x68", mp3)]


def test_one_frame_that_says_another_rate_is_lost_alone(tmp_path: Path) -> None:
    file = encode(tmp_path / "a.mp3", "libmp3lame", 16_000, "stereo", None)
    whole = decode(file)
    data = bytearray(file.read_bytes())
    data[heads(bytes(data))[40] + 2] ^= 0b100  # the rate's index
    file.write_bytes(data)
    audio = decode(file)
    assert audio.damaged_packets >= 1
    assert audio.duration_s == pytest.approx(whole.duration_s, abs=0.15)  # MP3 has no time stamps to fill it by


def test_a_recording_whose_rate_changes_for_good_is_refused_with_that_reason(tmp_path: Path) -> None:
    first = encode(tmp_path / "a.mp3", "libmp3lame", 16_000, "stereo", None)
    second = encode(tmp_path / "b.mp3", "libmp3lame", 24_000, "stereo", None)
    joined = tmp_path / "c.mp3"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(MediaRefusedError, match="rate change") as refused:
        decode(joined)
    assert refused.value.reason_code == "media.damaged"
