"""Write the voice encoder in the form that ``audit_service/transcription/voices.py`` reads.

The weights are those of Resemblyzer 0.1.4 (Apache-2.0), which come in its wheel; the encoder is the one of
"Generalized End-to-End Loss for Speaker Verification" (Wan et al. 2018): three LSTM layers of 256, a projection of 256.
The mel bands are Slaney's, as Resemblyzer takes them from librosa, and go into the file, so that only the spectrum is
left to compute.

Needs torch and onnx (requirements-train.txt) beside the project's own.
Run: python benchmarks/voice_encoder.py FOLDER_OF_THE_UNPACKED_WHEEL
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from audit_service.transcription.speech import RATE_HZ
from audit_service.transcription.voices import ENCODER, FRAME

MELS, WIDTH, LAYERS = 40, 256, 3
# Slaney's scale is linear below 1 kHz and logarithmic above.
LINEAR_HZ, KNEE_HZ = 200.0 / 3, 1000.0
LOG_STEP = np.log(6.4) / 27.0


def hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frequencies of points on Slaney's scale."""
    knee = KNEE_HZ / LINEAR_HZ
    return np.where(mels < knee, mels * LINEAR_HZ, KNEE_HZ * np.exp(LOG_STEP * (mels - knee)))


def bands() -> NDArray[np.float32]:
    """Return the weight of each frequency of the spectrum in each band; each band has the same area."""
    highest = KNEE_HZ / LINEAR_HZ + np.log(RATE_HZ / 2 / KNEE_HZ) / LOG_STEP
    edges = hertz(np.linspace(0.0, highest, MELS + 2))
    frequencies = np.linspace(0.0, RATE_HZ / 2, FRAME // 2 + 1)
    rising = (frequencies[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[None, 2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (edges[2:] - edges[:-2])).astype(np.float32)


def gates(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights in the order of ONNX (input, output, forget, cell) from torch's (input, forget, cell, output)."""
    first, forget, cell, output = np.split(matrix, 4)
    return np.concatenate([first, output, forget, cell])


def graph(state: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """Return the encoder: power spectra (batch, frames, 201) in, unit vectors (batch, 256) out."""
    constants = {"bands": bands(), "projection": state["linear.weight"].T, "offset": state["linear.bias"]}
    nodes = [helper.make_node("MatMul", ["power", "bands"], ["mels"])]
    nodes.append(helper.make_node("Transpose", ["mels"], ["x0"], perm=[1, 0, 2]))
    for number in range(LAYERS):
        for kind, name in (("W", "weight_ih"), ("R", "weight_hh")):
            constants[f"{kind}{number}"] = gates(state[f"lstm.{name}_l{number}"])[None]
        biases = [gates(state[f"lstm.bias_{part}_l{number}"]) for part in ("ih", "hh")]
        constants[f"B{number}"] = np.concatenate(biases)[None]
        inputs = [f"x{number}", f"W{number}", f"R{number}", f"B{number}"]
        nodes.append(helper.make_node("LSTM", inputs, [f"y{number}", f"h{number}"], hidden_size=WIDTH))
        nodes.append(helper.make_node("Squeeze", [f"y{number}", "directions"], [f"x{number + 1}"]))
    constants["directions"] = np.array([1], dtype=np.int64)
    constants["first"] = np.array([0], dtype=np.int64)
    nodes += [
        helper.make_node("Squeeze", [f"h{LAYERS - 1}", "first"], ["last"]),
        helper.make_node("MatMul", ["last", "projection"], ["projected"]),
        helper.make_node("Add", ["projected", "offset"], ["moved"]),
        helper.make_node("Relu", ["moved"], ["positive"]),
        helper.make_node("LpNormalization", ["positive"], ["voices"], axis=1, p=2),
    ]
    power = helper.make_tensor_value_info("power", TensorProto.FLOAT, ["batch", "frames", FRAME // 2 + 1])
    voices = helper.make_tensor_value_info("voices", TensorProto.FLOAT, ["batch", WIDTH])
    tensors = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "voice_encoder", [power], [voices], tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    """Write the encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    file = parser.parse_args().wheel / "resemblyzer" / "pretrained.pt"
    state = torch.load(file, map_location="cpu", weights_only=False)["model_state"]
    model = graph({name: value.numpy() for name, value in state.items()})
    onnx.checker.check_model(model)
    ENCODER.write_bytes(model.SerializeToString())
    print(f"{ENCODER.name}: {ENCODER.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
