"""Windows decoded together: the same words as alone, nothing dropped, and words at their seconds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_service.media.services import decode
from audit_service.transcription.engines import faster_whisper
from audit_service.transcription.engines.batches import Decoded
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.speech import RATE_HZ, find_speech, shared_s
from audit_service.transcription.values import Word
from audit_service.transcription.weights import locate_weights
from tests.conftest import SAMPLES


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisperEngine:
    return FasterWhisperEngine(locate_weights(None, tmp_path_factory.mktemp("weights")))


def channels(name: str) -> list[NDArray[np.float32]]:
    audio = decode(SAMPLES / "calls" / f"{name}.wav")
    return [audio.channel(number) for number in range(audio.channel_count)]


def test_channels_of_several_calls_together_are_heard_word_for_word_as_alone(engine: FasterWhisperEngine) -> None:
    sounds = [*channels("zh-02"), *channels("zh-07")]
    together = engine.listen_together(sounds, "zh")
    assert [engine.listen(sound, "zh") for sound in sounds] == list(together)
    assert all(passages for passages in together)


def test_silence_gives_nothing_and_no_sound_gives_no_answer(engine: FasterWhisperEngine) -> None:
    silence = np.zeros(5 * RATE_HZ, dtype=np.float32)
    assert [list(heard) for heard in engine.listen_together([silence, silence[:0]], "zh")] == [[], []]
    assert list(engine.listen_together([], "zh")) == []


@pytest.mark.parametrize("name", ["zh-05", "en-01"])
def test_words_stand_where_somebody_speaks_and_no_speech_is_without(engine: FasterWhisperEngine, name: str) -> None:
    (agent, _) = channels(name)
    words = [word for passage in engine.listen(agent, name[:2]) for word in passage.words]
    speech = find_speech(agent)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert all(word.end_s <= len(agent) / RATE_HZ + 0.1 for word in words)
    spoken_s = sum(one.end_s - one.start_s for one in speech)
    assert sum(shared_s(word.start_s, word.end_s, speech) for word in words) > 0.85 * spoken_s


def test_a_call_joined_to_eight_times_itself_keeps_its_sentences(engine: FasterWhisperEngine) -> None:
    (agent, _) = channels("zh-03")
    once = "".join(passage.text for passage in engine.listen(agent, "zh"))
    often = "".join(passage.text for passage in engine.listen(np.tile(agent, 8), "zh"))
    assert len(often) > 7.5 * len(once)


def test_what_is_said_after_the_last_word_is_decoded_again(
    engine: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (agent, _) = channels("zh-03")
    real = FasterWhisperEngine._decoded
    rounds: list[int] = []

    def stops_early(self: FasterWhisperEngine, spectra: list[NDArray[np.float32]], language: str) -> list[Decoded]:
        """Decode, but in the first round end each window after its first second, as Whisper does at times."""
        rounds.append(len(spectra))
        found = real(self, spectra, language)
        return [cut_short(one) for one in found] if len(rounds) == 1 else found

    whole = "".join(passage.text for passage in engine.listen(agent, "zh"))
    monkeypatch.setattr(FasterWhisperEngine, "_decoded", stops_early)
    again = "".join(passage.text for passage in engine.listen(agent, "zh"))
    assert len(rounds) > 1
    assert len(again) > 0.9 * len(whole)


def cut_short(decoded: Decoded) -> Decoded:
    words = tuple(word for word in decoded.words if word.end_s < 2.0)
    return (
        Decoded(words, decoded.log_probability, decoded.no_speech, 1.0, ((0.0, words[-1].end_s),)) if words else decoded
    )


def decoded(*, likely: float = -0.3, no_speech: float = 0.1, compression: float = 1.0, text: str = "喂") -> Decoded:
    words = (Word(0.0, 0.4, text, 0.9),) if text else ()
    return Decoded(words, likely, no_speech, compression, ((0.0, 0.4),))


@pytest.mark.parametrize("doubtful", [decoded(likely=-1.5), decoded(compression=3.0), decoded(text="")])
def test_doubtful_texts_are_decoded_again_and_the_better_one_is_kept(
    engine: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch, doubtful: Decoded
) -> None:
    better = decoded(likely=-0.9)
    answers = {faster_whisper.WAYS[0]: doubtful, faster_whisper.WAYS[1]: better}
    monkeypatch.setattr(
        engine.decoder, "decode", lambda spectra, _language, way: [answers[way]] * len(spectra) if spectra else []
    )
    assert engine._decoded([np.zeros((80, 100), np.float32)], "zh") == [better]


def test_an_engine_with_more_words_shares_the_weights_and_leaves_the_first_as_it_was(
    engine: FasterWhisperEngine,
) -> None:
    (agent, _) = channels("zh-02")
    before = engine.listen(agent, "zh")
    told = engine.with_words("安信消费金融").with_words("逾期")
    assert (told.expected, told.options["words"], engine.options["words"]) == ("安信消费金融 逾期",) * 2 + ("",)
    assert told.decoder.words == "安信消费金融 逾期"
    assert engine.decoder.words is None
    assert engine.listen(agent, "zh") == before
