"""Borrowers, contact persons, contact attempts, messages and recordings."""

from __future__ import annotations

import io
import itertools
import math
import struct
import wave
from datetime import UTC, datetime

from audit_service.contacts.models import (
    Borrower,
    Channel,
    ContactAttempt,
    ContactPerson,
    Direction,
    Message,
    Outcome,
    Recipient,
    Recording,
    Speaker,
)
from audit_service.custody import services as custody
from audit_service.custody.models import ExhibitKind
from audit_service.custody.values import Receipt
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.organizations.models import Agency, Agent, Institution

_numbers = itertools.count(1)
NOON = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai


def borrower(session: Session, lender: Institution, *, name: str = "王小明", phone: str = "+8613900000001") -> Borrower:
    made = Borrower(
        institution_id=lender.id,
        reference=f"B{next(_numbers):05d}",
        name=name,
        phone=phone,
        language="zh" if lender.jurisdiction == "cn" else "en",
        timezone=lender.timezone,
    )
    session.add(made)
    session.flush()
    return made


def contact_person(
    session: Session, debtor: Borrower, *, name: str = "赵同事", is_related: bool = False
) -> ContactPerson:
    made = ContactPerson(
        borrower_id=debtor.id, name=name, relation="colleague", is_related=is_related, phone="+8613900000099"
    )
    session.add(made)
    session.flush()
    return made


def attempt(session: Session, debtor: Borrower, by: Agency, **values: object) -> ContactAttempt:
    agent = values.pop("agent", None)
    fields: dict[str, object] = {
        "institution_id": debtor.institution_id,
        "reference": f"call-{next(_numbers)}",
        "borrower_id": debtor.id,
        "agency_id": by.id,
        "agent_id": agent.id if isinstance(agent, Agent) else None,
        "channel": Channel.CALL,
        "direction": Direction.OUTBOUND,
        "recipient": Recipient.BORROWER,
        "number": debtor.phone,
        "started_at": NOON,
        "timezone": debtor.timezone,
        "outcome": Outcome.ANSWERED,
        "talk_s": 60.0,
    }
    made = ContactAttempt(**(fields | values))
    session.add(made)
    session.flush()
    return made


def message(session: Session, debtor: Borrower, by: Agency, text: str, **values: object) -> Message:
    sender = Speaker(str(values.pop("sender", "agent")))
    contact = attempt(session, debtor, by, channel=Channel.SMS, outcome=Outcome.SENT, talk_s=None, **values)
    made = Message(attempt_id=contact.id, thread=f"{debtor.id}:sms", sender=sender, text=text, raw_line=f'x,"{text}"')
    session.add(made)
    session.flush()
    return made


def tone_wav(seconds: float = 2.0, hertz: float = 440.0) -> bytes:
    """Return a stereo 8 kHz 16-bit WAV: a tone on the left, a tone an octave up on the right."""
    rate = 8000
    frames = b"".join(
        struct.pack(
            "<hh",
            int(8000 * math.sin(2 * math.pi * hertz * i / rate)),
            int(8000 * math.sin(4 * math.pi * hertz * i / rate)),
        )
        for i in range(int(seconds * rate))
    )
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames)
    return buffer.getvalue()


def recording(session: Session, vault: Vault, contact: ContactAttempt, *, audio: bytes = b"") -> Recording:
    content = audio or tone_wav(hertz=300.0 + next(_numbers))
    sealing = custody.seal(
        session,
        vault,
        io.BytesIO(content),
        Receipt(ExhibitKind.RECORDING, "audio/wav", f"{contact.reference}.wav", "cli"),
    )
    made = Recording(
        attempt_id=contact.id, exhibit_id=sealing.exhibit.id, duration_s=2.0, channels=2, agent_channel=0, language="zh"
    )
    session.add(made)
    session.flush()
    return made
