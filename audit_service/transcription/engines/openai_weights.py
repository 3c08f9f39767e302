"""CTranslate2 weights of Whisper, tensor by tensor, as a model of openai-whisper: the same in another engine."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from whisper.model import ModelDimensions, Whisper

from audit_service.transcription.weights import Weights

FORMS = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
HEADS_OF_WIDTH = 64


def read_tensors(file: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a ``model.bin`` of format 6, aliases included."""
    content, place = file.read_bytes(), 0

    def take(form: str) -> Any:
        nonlocal place
        (value,) = struct.unpack_from(form, content, place)
        place += struct.calcsize(form)
        return value

    def text() -> str:
        nonlocal place
        length = take("<H")
        place += length
        return content[place - length : place].rstrip(b"\0").decode()

    take("<I")
    text()
    take("<I")
    found: dict[str, NDArray[Any]] = {}
    for _ in range(take("<I")):
        name = text()
        shape = [take("<I") for _ in range(take("<B"))]
        form, size = FORMS[take("<B")], take("<I")
        found[name] = np.frombuffer(content, form, size // np.dtype(form).itemsize, place).reshape(shape)
        place += size
    for _ in range(take("<I")):
        alias, name = text(), text()
        found[alias] = found[name]
    return found


def load(weights: Weights) -> Whisper:
    """Return openai-whisper's model with these weights.

    Raises:
        RuntimeError: a tensor is missing or left over.
    """
    tensors = read_tensors(weights.folder / "model.bin")
    state = dict(_state(tensors))
    width = state["decoder.token_embedding.weight"].shape
    layers = len({name.split(".")[2] for name in state if name.startswith("encoder.blocks.")})
    dims = ModelDimensions(
        n_mels=state["encoder.conv1.weight"].shape[1],
        n_audio_ctx=state["encoder.positional_embedding"].shape[0],
        n_audio_state=width[1],
        n_audio_head=width[1] // HEADS_OF_WIDTH,
        n_audio_layer=layers,
        n_vocab=width[0],
        n_text_ctx=state["decoder.positional_embedding"].shape[0],
        n_text_state=width[1],
        n_text_head=width[1] // HEADS_OF_WIDTH,
        n_text_layer=layers,
    )
    model = Whisper(dims)
    model.load_state_dict({name: torch.tensor(value.astype(np.float32)) for name, value in state.items()}, strict=True)
    alignment = json.loads((weights.folder / "config.json").read_text(encoding="utf-8")).get("alignment_heads")
    if alignment:
        mask = torch.zeros(layers, dims.n_text_head, dtype=torch.bool)
        mask[tuple(zip(*alignment, strict=True))] = True
        model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    return model.eval()


def _state(tensors: dict[str, NDArray[Any]]) -> Any:
    for side in ("encoder", "decoder"):
        yield f"{side}.positional_embedding", tensors[f"{side}/position_encodings/encodings"]
        last = "ln_post" if side == "encoder" else "ln"
        yield from _norm(tensors, f"{side}/layer_norm", f"{side}.{last}")
        numbers = sorted(
            {
                int(name.split("/")[1][6:])
                for name in tensors
                if name.startswith(f"{side}/layer_") and name.split("/")[1][6:].isdigit()
            }
        )
        for number in numbers:
            yield from _block(tensors, f"{side}/layer_{number}", f"{side}.blocks.{number}")
    for number in (1, 2):
        for part in ("weight", "bias"):
            yield f"encoder.conv{number}.{part}", tensors[f"encoder/conv{number}/{part}"]
    yield "decoder.token_embedding.weight", tensors["decoder/embeddings/weight"]


def _block(tensors: dict[str, NDArray[Any]], source: str, target: str) -> Any:
    yield from _norm(tensors, f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
    yield from _split(tensors, f"{source}/self_attention/linear_0", f"{target}.attn", ("query", "key", "value"))
    yield from _split(tensors, f"{source}/self_attention/linear_1", f"{target}.attn", ("out",))
    if f"{source}/attention/linear_0/weight" in tensors:
        yield from _norm(tensors, f"{source}/attention/layer_norm", f"{target}.cross_attn_ln")
        yield from _split(tensors, f"{source}/attention/linear_0", f"{target}.cross_attn", ("query",))
        yield from _split(tensors, f"{source}/attention/linear_1", f"{target}.cross_attn", ("key", "value"))
        yield from _split(tensors, f"{source}/attention/linear_2", f"{target}.cross_attn", ("out",))
    yield from _norm(tensors, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
    for number, place in ((0, 0), (1, 2)):
        for part in ("weight", "bias"):
            yield f"{target}.mlp.{place}.{part}", tensors[f"{source}/ffn/linear_{number}/{part}"]


def _norm(tensors: dict[str, NDArray[Any]], source: str, target: str) -> Any:
    yield f"{target}.weight", tensors[f"{source}/gamma"]
    yield f"{target}.bias", tensors[f"{source}/beta"]


def _split(tensors: dict[str, NDArray[Any]], source: str, target: str, names: tuple[str, ...]) -> Any:
    """Give each of the projections that were joined its own weight; openai-whisper's keys have no bias."""
    weights = np.split(tensors[f"{source}/weight"], len(names))
    biases = np.split(tensors[f"{source}/bias"], len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        yield f"{target}.{name}.weight", weight
        if name != "key":
            yield f"{target}.{name}.bias", bias
