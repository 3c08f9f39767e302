"""Sealed objects: what goes in comes out, once, and any change of the stored bytes is seen."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_store import (
    EvidenceError,
    KeyRefusedError,
    LocalBackend,
    MasterKey,
    ObjectAlteredError,
    ObjectMissingError,
    Store,
)
from evidence_store.seal import CHUNK_BYTES, HEADER, TAG_BYTES


@pytest.fixture
def key() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def store(tmp_path: Path, key: MasterKey) -> Store:
    return Store(LocalBackend(tmp_path / "evidence"), key)


def body(tmp_path: Path, sha256: str) -> Path:
    return tmp_path / "evidence" / sha256[:2] / f"{sha256}.sealed"


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 5_000_000])
def test_content_of_any_size_comes_back(store: Store, size: int) -> None:
    content = os.urandom(size)
    sealed = store.seal(io.BytesIO(content))
    assert sealed.sha256 == hashlib.sha256(content).hexdigest()
    assert (sealed.size_bytes, sealed.is_new) == (size, True)
    with store.open(sealed.sha256) as reader:
        assert reader.read() == content
    assert store.check(sealed.sha256) == size


def test_a_stream_that_gives_little_at_a_time_is_sealed_whole(store: Store) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, 1000) if size != -1 else -1)

    content = os.urandom(CHUNK_BYTES + 500)
    assert store.seal(Trickle(content)).sha256 == hashlib.sha256(content).hexdigest()


def test_nothing_plain_and_nothing_temporary_is_left_on_disk(store: Store, tmp_path: Path) -> None:
    store.seal(io.BytesIO(b"a secret sentence " * 1000))
    files = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".sealed", ".key"}
    assert all(b"secret sentence" not in path.read_bytes() for path in files)


def test_the_same_content_is_written_once(store: Store, tmp_path: Path) -> None:
    first = store.seal(io.BytesIO(b"same"))
    before = body(tmp_path, first.sha256).read_bytes()
    second = store.seal(io.BytesIO(b"same"))
    assert (second.sha256, second.is_new) == (first.sha256, False)
    assert body(tmp_path, first.sha256).read_bytes() == before
    assert len(list((tmp_path / "evidence").rglob("*.key"))) == 1


def test_two_processes_sealing_the_same_content_make_one_object(tmp_path: Path, key: MasterKey) -> None:
    code = (
        "import io, sys; from pathlib import Path; from evidence_store import *\n"
        f"folder, key = Path({str(tmp_path / 'evidence')!r}), MasterKey.from_base64({key.to_base64()!r})\n"
        "store = Store(LocalBackend(folder), key)\n"
        "print([store.seal(io.BytesIO(bytes([i]) * 300000)).is_new for i in range(20)].count(True))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    new = [int(run.communicate(timeout=60)[0]) for run in runs]
    store = Store(LocalBackend(tmp_path / "evidence"), key)
    assert sum(new) == 20
    assert all(store.check(address) == 300000 for address in store.addresses())
    assert len(list(store.addresses())) == 20


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(start=st.integers(0, 2 * CHUNK_BYTES + 99), length=st.integers(0, CHUNK_BYTES))
def test_any_slice_can_be_read(store: Store, start: int, length: int) -> None:
    content = bytes(range(256)) * (2 * CHUNK_BYTES // 256) + bytes(100)
    sealed = store.seal(io.BytesIO(content))
    with store.open(sealed.sha256) as reader:
        reader.seek(start)
        assert reader.read(length) == content[start : start + length]


def test_every_flipped_byte_of_a_small_object_is_detected(store: Store, tmp_path: Path) -> None:
    sealed = store.seal(io.BytesIO(b"twelve words of evidence " * 8))
    path = body(tmp_path, sealed.sha256)
    original = path.read_bytes()
    for place in range(len(original)):
        altered = bytearray(original)
        altered[place] ^= 0x40
        rewrite(path, bytes(altered))
        with pytest.raises(EvidenceError):
            store.check(sealed.sha256)
    rewrite(path, original)
    assert store.check(sealed.sha256) == 200


def test_cutting_adding_and_swapping_chunks_is_detected(store: Store, tmp_path: Path) -> None:
    sealed = store.seal(io.BytesIO(os.urandom(3 * CHUNK_BYTES)))
    path, whole = body(tmp_path, sealed.sha256), CHUNK_BYTES + TAG_BYTES
    original = path.read_bytes()
    head, chunks = original[: HEADER.size], [original[HEADER.size + i * whole :][:whole] for i in range(3)]
    for altered in (
        head + chunks[0],
        head + chunks[0] + chunks[1],
        head + chunks[1] + chunks[0] + chunks[2],
        original + b"x",
        original[:-1],
        head,
        b"",
    ):
        rewrite(path, altered)
        with pytest.raises(ObjectAlteredError):
            store.check(sealed.sha256)


def test_an_altered_key_file_is_detected(store: Store, tmp_path: Path) -> None:
    sealed = store.seal(io.BytesIO(b"content"))
    [path] = (tmp_path / "evidence").rglob("*.key")
    rewrite(path, path.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(EvidenceError):
        store.check(sealed.sha256)


def test_another_master_key_opens_nothing(store: Store, tmp_path: Path) -> None:
    sealed = store.seal(io.BytesIO(b"content"))
    with pytest.raises(KeyRefusedError):
        Store(LocalBackend(tmp_path / "evidence"), MasterKey.generate()).open(sealed.sha256)


def test_what_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(ObjectMissingError, match="a" * 64):
        store.open("a" * 64)
    assert not store.exists("a" * 64)


@pytest.mark.parametrize("address", ["../../etc/passwd", "A" * 64, "a" * 63, "", "a" * 65])
def test_only_an_address_becomes_a_path(store: Store, address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        store.open(address)


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA"])
def test_a_key_of_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(KeyRefusedError):
        MasterKey.from_base64(text)
