"""Tables of transcripts: immutable versions of the words of a recording, and their segments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.contacts.models import Recording, Speaker
from audit_service.database import Base, choice
from audit_service.transcription.speakers import Certainty


class Transcript(Base):
    """One version of the words of a recording, with the engine, weights and options that made it.

    ``speech`` holds, for each channel, the stretches with speech in seconds; empty where nobody looked. ``acoustics``
    is what the sound itself says of silence and music.
    """

    __tablename__ = "transcripts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    version: Mapped[int] = mapped_column(Integer)
    engine: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(120))
    model_sha256: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]]
    language: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    took_s: Mapped[float] = mapped_column(Float)
    speech: Mapped[list[Any]] = mapped_column(default=list)
    acoustics: Mapped[dict[str, Any]] = mapped_column(default=dict)

    recording: Mapped[Recording] = relationship()
    segments: Mapped[list[Segment]] = relationship(back_populates="transcript", order_by="Segment.position")

    __table_args__ = (UniqueConstraint("recording_id", "version"),)

    @property
    def are_roles_uncertain(self) -> bool:
        """Tell whether who is the agent was guessed, with too little certainty; see ``speakers``."""
        return bool(self.options.get("roles") == Certainty.UNCERTAIN)


class Segment(Base):
    """One stretch of one speaker; times in seconds from the start of the recording.

    ``text`` is normalised (simplified Chinese, NFC); ``text_original`` is what the engine wrote. ``language`` is that
    of these words alone, and ``level_db`` their loudness in decibels below full scale.
    """

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    transcript_id: Mapped[int] = mapped_column(ForeignKey("transcripts.id"))
    position: Mapped[int] = mapped_column(Integer)
    channel: Mapped[int] = mapped_column(Integer)
    speaker: Mapped[Speaker] = mapped_column(choice(Speaker))
    start_s: Mapped[float] = mapped_column(Float)
    end_s: Mapped[float] = mapped_column(Float)
    text: Mapped[str] = mapped_column(Text)
    text_original: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Float)
    words: Mapped[list[Any]]
    language: Mapped[str] = mapped_column(String(10), default="")
    level_db: Mapped[float | None] = mapped_column(Float)

    transcript: Mapped[Transcript] = relationship(back_populates="segments")
    edits: Mapped[list[SegmentEdit]] = relationship(back_populates="segment", order_by="SegmentEdit.id")

    __table_args__ = (UniqueConstraint("transcript_id", "position"),)

    @property
    def edit(self) -> SegmentEdit | None:
        """Return the correction in force, or None."""
        return next((edit for edit in reversed(self.edits) if edit.reverted_at is None), None)

    @property
    def read_text(self) -> str:
        """Return the words as they are read now: the machine's, or those of the correction in force."""
        return self.text if self.edit is None else self.edit.text


class SegmentEdit(Base):
    """A person's words in place of the machine's for one segment; the machine's stay, and an edit can be taken back."""

    __tablename__ = "segment_edits"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(100))
    edited_at: Mapped[datetime]
    reverted_at: Mapped[datetime | None]
    reverted_by: Mapped[str] = mapped_column(String(100), default="")

    segment: Mapped[Segment] = relationship(back_populates="edits")


class WordList(Base):
    """One version of the words that a lender wants expected in its calls; at most one version is in use.

    ``measured`` is what the fixed test set showed with and without them; a list that was not measured is not used.
    """

    __tablename__ = "word_lists"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))
    version: Mapped[int] = mapped_column(Integer)
    words: Mapped[list[Any]]
    measured: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    is_used: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (
        UniqueConstraint("institution_id", "version"),
        Index("uq_word_lists_used", "institution_id", unique=True, postgresql_where=text("is_used")),
    )


class Referral(Base):
    """A recording that people must listen to, in a named queue, because the machine cannot be trusted with it."""

    __tablename__ = "referrals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))
    queue: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]]
    referred_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(String(100), default="")

    recording: Mapped[Recording] = relationship()

    __table_args__ = (UniqueConstraint("recording_id", "queue"),)


class TranscriptPart(Base):
    """What was heard of a recording that is still being transcribed; gone when its transcript is stored."""

    __tablename__ = "transcript_parts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    engine: Mapped[str] = mapped_column(String(64))
    channel: Mapped[int] = mapped_column(Integer)
    start_s: Mapped[float] = mapped_column(Float)
    end_s: Mapped[float] = mapped_column(Float)
    passages: Mapped[list[Any]]
    took_s: Mapped[float] = mapped_column(Float)
    total_s: Mapped[float] = mapped_column(Float)
    heard_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("recording_id", "engine", "channel", "start_s", "end_s"),)
