"""Messages as a lender's day has them: four in five are notices from templates, other names, sums and dates in each.

The rest is written freely (the corpus): lawful messages, near misses and borrowers' answers, and, one in ``one_in`` of
all, a message with conduct or a signal. No two are the same, so that nothing is answered from memory.
"""

from __future__ import annotations

import random
from pathlib import Path

import yaml

import corpus
from audit_service.detection import Conversation, Turn

SEED = 1
TEMPLATED = 0.8
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗"
GIVEN = ("Ann", "Carlos", "Dana", "Evan", "Farah", "George", "Hana", "Ivan", "Joan", "Kofi")
NOTICES: dict[str, list[str]] = yaml.safe_load((Path(__file__).parent / "notices.yaml").read_text(encoding="utf-8"))
LENDERS = {
    "zh": ("安信消金", "云杉银行", "和风信贷", "乐分期", "长桥银行"),
    "en": ("Maple Bank", "Northway Credit", "Harbor Loans"),
}


def conversations(count: int, one_in: int, templated: float = TEMPLATED) -> list[Conversation]:
    """Return ``count`` messages in the order of a day: shuffled, the same for the same arguments."""
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    items = [item for split in corpus.SPLITS for item in corpus.messages(split)]
    lawful = [item for item in items if not item.labels]
    others = [item for item in items if item.labels]
    made = []
    for number in range(count):
        if number % one_in == 0:
            made.append(_written(chance.choice(others), number))
        elif chance.random() < templated:
            made.append(_notice(chance, number))
        else:
            made.append(_written(chance.choice(lawful), number))
    chance.shuffle(made)
    return made


def _written(item: corpus.Item, number: int) -> Conversation:
    speaker, text = item.turns[0]
    turn = Turn(speaker, f"{text}（{number}）")
    return Conversation(str(number), (turn,), recipient=item.recipient, language=item.language)


def _notice(chance: random.Random, number: int) -> Conversation:
    language = "zh" if chance.random() < len(NOTICES["zh"]) / sum(map(len, NOTICES.values())) else "en"
    text = _filled(chance, language, chance.choice(NOTICES[language]))
    return Conversation(str(number), (Turn("agent", text),), recipient="borrower", language=language)


def _filled(chance: random.Random, language: str, template: str) -> str:
    return template.format(
        lender=chance.choice(LENDERS[language]),
        surname=chance.choice(SURNAMES),
        given=chance.choice(GIVEN),
        digits=f"{chance.randrange(10_000):04}",
        month=chance.randint(1, 12),
        day=chance.randint(1, 28),
        sum=f"{chance.uniform(100, 9000):.2f}",
        least=f"{chance.uniform(10, 900):.2f}",
    )
