"""Words that a lender wants expected in its calls: versions, measured on a fixed set before one is put to use."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations.models import Institution
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.models import WordList
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file

MOST_WORDS, LONGEST_WORD = 60, 30


@dataclass(frozen=True)
class Measured:
    """Errors on the fixed set without and with the words, and of the words themselves how many were written."""

    files: int
    characters: int
    errors_without: int
    errors_with: int
    words_said: int
    words_without: int
    words_with: int

    @property
    def change(self) -> float:
        """Return by how much the share of wrong characters changed; below 0 is better."""
        return (self.errors_with - self.errors_without) / self.characters if self.characters else 0.0


def add_words(session: Session, institution: Institution, words: Sequence[str], *, actor: str) -> WordList:
    """Store the next version of a lender's words; it is not in use yet.

    Raises:
        InputRefusedError: there are none or too many, or one is too long or holds a blank.
    """
    plain = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    if not 1 <= len(plain) <= MOST_WORDS or any(len(w) > LONGEST_WORD or re.search(r"\s", w) for w in plain):
        raise InputRefusedError(
            f"A list has 1 to {MOST_WORDS} words of at most {LONGEST_WORD} characters without blanks.",
            remedy="More words help less: keep those that are misheard.",
        )
    newest = session.scalar(select(func.max(WordList.version)).where(WordList.institution_id == institution.id))
    made = WordList(
        institution_id=institution.id,
        version=(newest or 0) + 1,
        words=plain,
        measured={},
        actor=actor,
        created_at=clock.now(),
        is_used=False,
    )
    session.add(made)
    session.flush()
    return made


def word_list(session: Session, institution: Institution, version: int) -> WordList:
    """Return a version of a lender's words.

    Raises:
        NotFoundError: there is none.
    """
    query = select(WordList).where(WordList.institution_id == institution.id, WordList.version == version)
    found = session.scalar(query)
    if found is None:
        raise NotFoundError(f"{institution.code} has no word list {version}.", remedy="Add it first.")
    return found


def word_lists(session: Session, institution: Institution) -> Sequence[WordList]:
    """Return all versions of a lender's words, the newest first."""
    query = select(WordList).where(WordList.institution_id == institution.id).order_by(WordList.version.desc())
    return session.scalars(query).all()


def words_in_use(session: Session, institution_id: int) -> WordList | None:
    """Return the version that a lender uses, or None."""
    return session.scalar(select(WordList).where(WordList.institution_id == institution_id, WordList.is_used))


def use_words(session: Session, institution: Institution, version: int, *, actor: str) -> WordList:
    """Put a version to use from the next call on; 0 puts none to use.

    Raises:
        NotFoundError: there is no such version.
        InputRefusedError: it was not measured, or made more errors than no words did.
    """
    chosen = None if version == 0 else word_list(session, institution, version)
    if chosen is not None and not chosen.measured:
        raise InputRefusedError(
            f"Word list {version} was not measured.", remedy="Run `audit-service hotwords measure`."
        )
    if chosen is not None and chosen.measured["errors_with"] > chosen.measured["errors_without"]:
        raise InputRefusedError(
            f"Word list {version} made more errors on the test set than no words did.", remedy="Shorten it."
        )
    session.execute(update(WordList).where(WordList.institution_id == institution.id).values(is_used=False))
    if chosen is not None:
        chosen.is_used = True
    detail: dict[str, str | int | bool] = {"version": version}
    custody.record(session, Act(Action.WORDS_SET, "institution", institution.code, actor=actor, detail=detail))
    session.flush()
    return chosen or WordList(institution_id=institution.id, version=0, words=[], measured={}, actor=actor)


def measure(engine: Engine, words: Sequence[str], folder: Path) -> Measured:
    """Return the errors on a fixed test set without and with words; takes as long as listening to it twice.

    Args:
        engine: what hears.
        words: what to expect.
        folder: ``calls/NAME.wav`` with ``truth/NAME.json`` beside, as in ``samples``.

    Raises:
        InputRefusedError: the folder holds no such pair.
    """
    pairs = [(file, folder / "truth" / f"{file.stem}.json") for file in sorted((folder / "calls").glob("*.wav"))]
    pairs = [(file, truth) for file, truth in pairs if truth.is_file()]
    if not pairs:
        raise InputRefusedError(f"{folder} holds no test set.", remedy="Give calls/NAME.wav and truth/NAME.json.")
    said = [_truth(truth) for _, truth in pairs]
    plain = [_heard(engine, file) for file, _ in pairs]
    helped = [_heard(engine.with_words(" ".join(words)), file) for file, _ in pairs]
    return Measured(
        files=len(pairs),
        characters=sum(map(len, said)),
        errors_without=sum(map(Levenshtein.distance, said, plain)),
        errors_with=sum(map(Levenshtein.distance, said, helped)),
        words_said=_count(words, said, said),
        words_without=_count(words, said, plain),
        words_with=_count(words, said, helped),
    )


def _truth(file: Path) -> str:
    turns = json.loads(file.read_text(encoding="utf-8"))["turns"]
    return _letters("".join(turn["text"] for turn in sorted(turns, key=lambda turn: float(turn["start"]))))


def _heard(engine: Engine, file: Path) -> str:
    return _letters(
        "".join(one.text for one in transcribe_file(file, engine, ListeningOptions(None, None, "")).segments)
    )


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _count(words: Sequence[str], said: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many of the words that are said in a call are written in it."""
    plain = [_letters(word) for word in words]
    return sum(min(a.count(word), b.count(word)) for word in plain for a, b in zip(said, heard, strict=True))
