"""Tables of transcripts: immutable versions of the words of a recording, and their segments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Identity, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audit_service.contacts.models import Recording, Speaker
from audit_service.database import Base, choice


class Transcript(Base):
    """One version of the words of a recording, with the engine, weights and options that made it."""

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

    recording: Mapped[Recording] = relationship()
    segments: Mapped[list[Segment]] = relationship(back_populates="transcript", order_by="Segment.position")

    __table_args__ = (UniqueConstraint("recording_id", "version"),)


class Segment(Base):
    """One stretch of one speaker; times in seconds from the start of the recording.

    ``text`` is normalised (simplified Chinese, NFC); ``text_original`` is what the engine wrote.
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

    transcript: Mapped[Transcript] = relationship(back_populates="segments")

    __table_args__ = (UniqueConstraint("transcript_id", "position"),)


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
