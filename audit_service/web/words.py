"""What officers correct in the words of a call: who says them, and what is said."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response as Redirect

from audit_service.database import Session, transaction
from audit_service.i18n import gettext
from audit_service.transcription import edits
from audit_service.transcription.corrections import correct_speakers
from audit_service.transcription.models import Segment
from audit_service.web.policy import REVIEWERS, allow

bp = Blueprint("words", __name__, url_prefix="/officer")


@bp.post("/recordings/<int:recording_id>/speakers")
@allow(*REVIEWERS)
def speakers(recording_id: int) -> Redirect:
    """Record whose voice is whose; the words are judged anew."""
    correction, reason = request.form.get("correction", ""), request.form.get("reason", "")
    with transaction() as session:
        made = correct_speakers(session, recording_id, correction, user_id=current_user.id, reason=reason)
        attempt_id = made.recording.attempt_id
    flash(gettext("The speakers were corrected. The findings follow within seconds; earlier versions are kept."))
    return redirect(url_for("officer.contact", attempt_id=attempt_id))


@bp.post("/segments/<int:segment_id>/words")
@allow(*REVIEWERS)
def correct(segment_id: int) -> Redirect:
    """Lay the officer's words over those of the machine; the call is judged anew."""
    by = _editor()
    with transaction() as session:
        segment = edits.edit(session, segment_id, request.form.get("text", ""), by)
        line = _judged_anew(session, segment)
    flash(gettext("The words were corrected. The findings follow within seconds; the machine's words are kept."))
    return redirect(line)


@bp.post("/segments/<int:segment_id>/words/revert")
@allow(*REVIEWERS)
def revert(segment_id: int) -> Redirect:
    """Give the machine's words back; the call is judged anew."""
    by = _editor()
    with transaction() as session:
        segment = edits.revert(session, segment_id, by)
        line = _judged_anew(session, segment)
    flash(gettext("The machine's words are back. The findings follow within seconds."))
    return redirect(line)


def _judged_anew(session: Session, segment: Segment) -> str:
    """Have the call of a segment judged anew; return the address of its line on the contact's page."""
    edits.have_judged(session, segment)
    attempt_id = segment.transcript.recording.attempt_id
    return url_for("officer.contact", attempt_id=attempt_id, _anchor=f"line-{segment.position}")


def _editor() -> edits.Editor:
    return edits.Editor(f"user:{current_user.id}", request.form.get("reason", ""))
