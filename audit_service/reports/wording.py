"""The words a report uses for the codes of the taxonomy and of the models, in the language spoken.

Every function takes a code and returns a text of the present locale; a code without a word is returned as it is,
so that a report of a later pack can still be printed by an earlier service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit_service.i18n import gettext, lazy_gettext
from audit_service.reports.event_wording import event_details

CATEGORIES: Mapping[str, tuple[Any, Any]] = {
    "threat_violence": (
        lazy_gettext("Threat of violence"),
        lazy_gettext("Threatens harm to a person, a family or property."),
    ),
    "threat_unlawful_action": (
        lazy_gettext("Threat of unlawful or false legal action"),
        lazy_gettext(
            "Threatens arrest, jail, criminal charges, seizure or enforcement that the collector has no power to"
            " bring about. A truthful, conditional notice that the lender may sue is not meant."
        ),
    ),
    "impersonation_authority": (
        lazy_gettext("Impersonation of an authority"),
        lazy_gettext("Claims to be, or to speak for, police, a court, a prosecutor or another state body."),
    ),
    "false_identity": (
        lazy_gettext("False identity"),
        lazy_gettext("Falsely claims to be a lawyer, a regulator, a courier or a friend, or hides who is calling."),
    ),
    "abuse_insult": (lazy_gettext("Abuse or insult"), lazy_gettext("Insults, profanity or humiliation.")),
    "third_party_harassment": (
        lazy_gettext("Harassment of third parties"),
        lazy_gettext("Contacts, presses or threatens to contact people who do not owe the debt."),
    ),
    "third_party_disclosure": (
        lazy_gettext("Disclosure to a third party"),
        lazy_gettext("Tells a third party about the debt."),
    ),
    "public_shaming": (
        lazy_gettext("Public shaming"),
        lazy_gettext("Threatens or carries out exposure by posts, group messages, posters or at the workplace."),
    ),
    "harassment": (lazy_gettext("Harassment"), lazy_gettext("Bombardment with calls or messages, done or threatened.")),
    "misleading_consequence": (
        lazy_gettext("Misleading consequences"),
        lazy_gettext("False or exaggerated consequences for credit, schooling, travel or work."),
    ),
    "improper_payment_channel": (
        lazy_gettext("Improper payment channel"),
        lazy_gettext("Asks to pay into a personal account, in cash or to a person's payment code."),
    ),
    "induce_borrowing": (
        lazy_gettext("Inducement to borrow"),
        lazy_gettext("Urges the borrower to borrow elsewhere or to sell what must not be sold."),
    ),
    "refuse_verification": (
        lazy_gettext("Refusal of verification"),
        lazy_gettext("Refuses details of the debt, the agency, the staff number or a written agreement when asked."),
    ),
    "vulnerability_signal": (
        lazy_gettext("Sign of vulnerability"),
        lazy_gettext("Self-harm, grave illness, disability, bereavement, a minor or domestic violence is mentioned."),
    ),
    "hardship_signal": (
        lazy_gettext("Sign of hardship"),
        lazy_gettext("Loss of work or income, or a wish to negotiate, is mentioned."),
    ),
    "cease_request": (
        lazy_gettext("Request to cease contact"),
        lazy_gettext("Asks not to be contacted, wholly, at a time or at a place, or names a lawyer."),
    ),
    "complaint_intent": (
        lazy_gettext("Intent to complain"),
        lazy_gettext("Says that a complaint will be made or that the call is recorded."),
    ),
    "outside_hours": (
        lazy_gettext("Contact outside permitted hours"),
        lazy_gettext("Contact at an hour of the recipient's zone at which contact is not permitted."),
    ),
    "excessive_frequency": (
        lazy_gettext("Excessive frequency"),
        lazy_gettext("More contacts within a window than the rule permits."),
    ),
    "contact_after_cease": (
        lazy_gettext("Contact after a cease request"),
        lazy_gettext("Contact although the person had asked not to be contacted."),
    ),
    "no_identification": (
        lazy_gettext("Missing identification"),
        lazy_gettext("The opening lacks the caller's identity, agency or purpose."),
    ),
    "wrong_party_contact": (
        lazy_gettext("Wrong party contacted"),
        lazy_gettext("A person who has nothing to do with the debt was contacted about it."),
    ),
    "disclosure_before_verification": (
        lazy_gettext("Disclosure before verification"),
        lazy_gettext("The debt was revealed before the person had confirmed who they are."),
    ),
    "pii_leak": (
        lazy_gettext("Leak of personal data"),
        lazy_gettext("Personal data beyond the debt were revealed to someone with no need of them."),
    ),
    "unauthorized_fee": (
        lazy_gettext("Unauthorised fee"),
        lazy_gettext("Demands charges that neither contract nor law allows."),
    ),
    "contact_represented": (
        lazy_gettext("Contact of a represented person"),
        lazy_gettext("Direct contact although a lawyer is known to act."),
    ),
}

HEARD_THE_SAME, HEARD_IN_PART = 0.8, 0.5

TOLD_APART: Mapping[str, Any] = {
    "channel": lazy_gettext("Each side has a channel of its own."),
    "voice": lazy_gettext(
        "Both sides are on one channel and were told apart by their voices. This can be wrong: listen, then confirm."
    ),
    "nothing": lazy_gettext(
        "Only one voice could be made out, or both sounded too much alike: nobody is named as the speaker."
    ),
    "officer": lazy_gettext("An officer said who speaks."),
}
"""How the sides of a call were told apart, as a transcript's options name it."""

NAMES: Mapping[str, Mapping[str, Any]] = {
    "act": {
        "received": lazy_gettext("Received"),
        "sealed": lazy_gettext("Sealed as evidence"),
        "recognised": lazy_gettext("Recognised as known"),
        "transcribed": lazy_gettext("Transcribed"),
        "derived": lazy_gettext("Derived copy made"),
        "flagged": lazy_gettext("Flagged"),
        "viewed": lazy_gettext("Viewed"),
        "disposed": lazy_gettext("Reviewed"),
        "filed": lazy_gettext("Filed"),
        "linked": lazy_gettext("Linked"),
        "status_changed": lazy_gettext("Status changed"),
        "decided": lazy_gettext("Decided"),
        "reported": lazy_gettext("Report made"),
        "exported": lazy_gettext("Exported"),
        "user_created": lazy_gettext("Account created"),
        "signed_in": lazy_gettext("Signed in"),
        "corrected": lazy_gettext("Corrected"),
        "published": lazy_gettext("Rules published"),
        "approved": lazy_gettext("Rules approved"),
        "suspended": lazy_gettext("Suspended"),
        "reinstated": lazy_gettext("Reinstated"),
        "played": lazy_gettext("Played"),
        "retried": lazy_gettext("Tried again"),
        "referred": lazy_gettext("Referred"),
        "alerted": lazy_gettext("Alert raised"),
        "key_created": lazy_gettext("API key created"),
        "key_revoked": lazy_gettext("API key revoked"),
        "words_set": lazy_gettext("Word list set"),
    },
    "severity": {
        "critical": lazy_gettext("Critical"),
        "high": lazy_gettext("High"),
        "medium": lazy_gettext("Medium"),
        "low": lazy_gettext("Low"),
    },
    "speaker": {
        "agent": lazy_gettext("Agent"),
        "borrower": lazy_gettext("Borrower"),
        "third_party": lazy_gettext("Third party"),
        "unknown": lazy_gettext("Unknown speaker"),
    },
    "channel": {
        "call": lazy_gettext("Call"),
        "sms": lazy_gettext("SMS"),
        "wechat": lazy_gettext("WeChat"),
        "app": lazy_gettext("App message"),
        "email": lazy_gettext("E-mail"),
        "visit": lazy_gettext("Visit"),
        "letter": lazy_gettext("Letter"),
    },
    "direction": {"outbound": lazy_gettext("outbound"), "inbound": lazy_gettext("inbound")},
    "recipient": {"borrower": lazy_gettext("to the borrower"), "third_party": lazy_gettext("to a third party")},
    "outcome": {
        "answered": lazy_gettext("Answered"),
        "no_answer": lazy_gettext("No answer"),
        "busy": lazy_gettext("Busy"),
        "voicemail": lazy_gettext("Voicemail"),
        "invalid": lazy_gettext("Invalid number"),
        "sent": lazy_gettext("Sent"),
        "received": lazy_gettext("Received"),
        "unknown": lazy_gettext("Unknown outcome"),
    },
    "verdict": {
        "confirmed": lazy_gettext("Confirmed"),
        "dismissed": lazy_gettext("Dismissed"),
        "dismissal_proposed": lazy_gettext("Dismissal proposed"),
        "needs_information": lazy_gettext("Needs information"),
    },
    "status": {
        "received": lazy_gettext("Received"),
        "accepted": lazy_gettext("Accepted"),
        "refused": lazy_gettext("Refused"),
        "investigating": lazy_gettext("Investigating"),
        "decided": lazy_gettext("Decided"),
        "closed": lazy_gettext("Closed"),
        "appealed": lazy_gettext("Appealed"),
        "withdrawn": lazy_gettext("Withdrawn"),
        "transferred": lazy_gettext("Transferred"),
    },
    "request": {
        "stop_contact": lazy_gettext("Stop contact"),
        "apology": lazy_gettext("Apology"),
        "correct_credit_record": lazy_gettext("Correct the credit record"),
        "fee_refund": lazy_gettext("Refund of fees"),
        "negotiate_plan": lazy_gettext("Negotiate a repayment plan"),
        "verify_debt": lazy_gettext("Verify the debt"),
        "compensation": lazy_gettext("Compensation"),
        "investigate_staff": lazy_gettext("Investigate the staff"),
    },
    "result": {
        "supported": lazy_gettext("Supported by the records"),
        "partly": lazy_gettext("Partly supported"),
        "contradicted": lazy_gettext("Contradicted by the records"),
        "no_record": lazy_gettext("No record"),
        "records_incomplete": lazy_gettext("Records incomplete"),
        "": lazy_gettext("Not yet examined"),
    },
    "exhibit": {
        "recording": lazy_gettext("Recording"),
        "call_log": lazy_gettext("Call log"),
        "message_log": lazy_gettext("Message log"),
        "proof": lazy_gettext("Proof handed in"),
        "rendition": lazy_gettext("Playable copy"),
        "report": lazy_gettext("Report"),
        "export": lazy_gettext("Export"),
    },
    "weight": {
        "LAW": lazy_gettext("statute"),
        "RULE": lazy_gettext("regulation of a ministry or agency"),
        "NORM": lazy_gettext("normative notice"),
        "STD": lazy_gettext("recommended national standard: voluntary, but the measure that regulators look to"),
        "SELF": lazy_gettext("self-discipline document of an association: binds its members"),
    },
    "clock": {
        "acknowledge": lazy_gettext("Acknowledge receipt"),
        "accept": lazy_gettext("Tell whether accepted"),
        "decide": lazy_gettext("Decide"),
        "decide_simple": lazy_gettext("Decide (simple case)"),
        "decide_complex": lazy_gettext("Decide (complex case)"),
        "respond": lazy_gettext("Respond"),
        "review": lazy_gettext("Decide the appeal"),
    },
    "verification": {
        "nobody": lazy_gettext("nobody was verified"),
        "explicit_yes": lazy_gettext("the person said yes to the name"),
        "second_factor": lazy_gettext("verified by a second detail"),
    },
    "opinion": {"yes": lazy_gettext("agrees"), "no": lazy_gettext("disagrees"), "unsure": lazy_gettext("is unsure")},
}

PLANES: Mapping[str, Any] = {
    "text": lazy_gettext("The words stand in the text as quoted."),
    "syllable": lazy_gettext(
        "The words sound like what the rule looks for, but are written otherwise. Listen or read before deciding."
    ),
    "fuzzy": lazy_gettext("The quoted words nearly match what the rule looks for. Listen or read before deciding."),
    "similar": lazy_gettext(
        "The sentence is much like an example of the rule. Read or hear the original before deciding."
    ),
    "model": lazy_gettext(
        "A trained model proposes this from the wording as a whole; no word of a rule stands here. "
        "Read or hear the original before deciding."
    ),
    "absence": lazy_gettext("The rule looks for something that should have been said and was not found."),
    "order": lazy_gettext("The rule looks at the order in which things were said."),
    "repetition": lazy_gettext("The rule looks at how often the same demand is made in one call."),
    "identity": lazy_gettext("The rule compares the body that the caller names with the registered ones."),
    "metadata": lazy_gettext("The rule looks at the contact log, not at words."),
}


def name_of(group: str, code: str) -> str:
    """Return the word for ``code`` of a group of ``NAMES``, else the code."""
    return str(NAMES[group].get(code, code))


def category_name(code: str) -> str:
    """Return the name of a category of the taxonomy."""
    return str(CATEGORIES[code][0]) if code in CATEGORIES else code


def category_meaning(code: str) -> str:
    """Return one sentence that says what a category means; empty for an unknown one."""
    return str(CATEGORIES[code][1]) if code in CATEGORIES else ""


def plane_meaning(plane: str) -> str:
    """Say in plain words how a finding's words were matched."""
    return str(PLANES.get(plane, plane))


def heard_again(likeness: float) -> str:
    """Say in plain words how a second hearing compares with the first; ``likeness`` from 0 to 1."""
    if likeness >= HEARD_THE_SAME:
        return str(gettext("Doubtful words, heard again alone much the same:"))
    if likeness >= HEARD_IN_PART:
        return str(gettext("Doubtful words, heard again alone only in part. Listen before deciding:"))
    return str(gettext("Doubtful words, not heard again when listened to alone. Listen before deciding:"))


def finding_details(explanation: Mapping[str, Any]) -> list[str]:
    """Return, sentence by sentence, what a finding's explanation says beyond the words that were met."""
    details = []
    if "claimed" in explanation:
        registered = ", ".join(explanation.get("registered", ()))
        details.append(
            gettext(
                "Claimed: %(claimed)s. Registered: %(registered)s.",
                claimed=explanation["claimed"],
                registered=registered,
            )
        )
    if "said" in explanation:
        details.append(gettext("Said %(count)s times.", count=len(explanation["said"])))
    for state in explanation.get("meter", ()):
        second = state["start_s"]
        if second is not None:
            name = name_of("verification", str(state["state"]))
            details.append(gettext("From second %(second)s: %(state)s.", second=round(second), state=name))
    details += event_details(explanation, NAMES["channel"])
    details += _evidence_details(explanation)
    opinion = explanation.get("judge", {})
    if "verdict" in opinion:
        verdict = name_of("opinion", str(opinion["verdict"]))
        details.append(
            gettext("A language model's opinion: %(verdict)s (“%(quote)s”).", verdict=verdict, quote=opinion["quote"])
        )
    return details


def _evidence_details(explanation: Mapping[str, Any]) -> list[str]:
    """Return what was counted, what else had to be said, and for an absence where it was looked for."""
    details = []
    if "occurrences" in explanation:
        quotes = " · ".join(said["text"] for said in explanation["occurrences"])
        details.append(
            gettext("Counted %(count)s times: %(quotes)s.", count=len(explanation["occurrences"]), quotes=quotes)
        )
    required = explanation.get("required", {}).values()
    details += [gettext("Said beside it: “%(quote)s”.", quote=said["text"]) for said in required]
    searched = explanation.get("searched")
    if searched is None:
        return details
    if searched["start_s"] is not None and searched["end_s"] is not None:
        begin, end = round(searched["start_s"]), round(searched["end_s"])
        details.append(gettext("Searched from second %(begin)s to second %(end)s.", begin=begin, end=end))
    heard = " ".join(turn["text"] for turn in searched["turns"])
    details.append(gettext("All that was heard there: “%(heard)s”.", heard=heard))
    if searched["confidence"] is not None:
        confidence = f"{searched['confidence']:.2f}"
        details.append(gettext("Recognised with a confidence of %(confidence)s of 1.", confidence=confidence))
    return details


def in_language(texts: Mapping[str, str], locale: str) -> str:
    """Return the text of ``locale`` among texts by language code, else the first that is filled."""
    language = locale.partition("_")[0]
    return texts.get(language) or next((text for text in texts.values() if text), "")


def reason_text(reason: Any, locale: str) -> str:
    """Say a reason of a link or corroboration, stored as text or as texts by language code."""
    if isinstance(reason, Mapping):
        texts = reason.get("text", reason)
        return in_language(texts, locale) if isinstance(texts, Mapping) else str(texts)
    return str(reason)


def said(text: Any) -> str:
    """Return ``text`` or, when it is empty, the word for nothing recorded."""
    return str(text) if text else gettext("not recorded")
