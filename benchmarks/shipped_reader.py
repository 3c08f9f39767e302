"""Read the weights of a shipped reader back out of its ONNX file, so that learning can go on from it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

_OWNER = re.compile(r"/(?:(layers\.\d+)/)?(\w+)/\w*MatMul_quant")


def weights_of(file: Path) -> dict[str, torch.Tensor]:
    """Return the weights by their names in the net, all but the word vectors, which never change in training.

    The matrices come back from eight bits a weight: each differs from the one that was trained by at most half a step.
    """
    graph = onnx.load(file).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name.removeprefix("net."): value for name, value in stored.items() if name.startswith("net.")}
    found = {name: value for name, value in found.items() if not name.startswith("head.weight")}
    for node in graph.node:
        owner = _OWNER.fullmatch(node.name) if node.op_type == "MatMulInteger" else None
        if owner is not None:
            name = f"{owner[1]}.maps.{owner[2]}" if owner[1] else owner[2]
            found[f"{name}.weight"] = _restored(stored, node.input[1].removesuffix("_quantized")).T
    return {name: torch.tensor(np.ascontiguousarray(value)) for name, value in found.items()}


def _restored(stored: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.float32]:
    steps = stored[f"{name}_quantized"].astype(np.float32) - stored[f"{name}_zero_point"].astype(np.float32)
    return steps * stored[f"{name}_scale"].astype(np.float32)
