"""The stable codes of conduct and signals: what a rule may be about."""

SIGNALS = frozenset({"vulnerability_signal", "hardship_signal", "cease_request", "complaint_intent"})
CATEGORIES = SIGNALS | {
    "threat_violence", "threat_unlawful_action", "impersonation_authority", "false_identity", "abuse_insult",
    "third_party_harassment", "third_party_disclosure", "public_shaming", "harassment", "misleading_consequence",
    "improper_payment_channel", "induce_borrowing", "refuse_verification", "outside_hours", "excessive_frequency",
    "contact_after_cease", "no_identification", "wrong_party_contact", "disclosure_before_verification", "pii_leak",
    "unauthorized_fee", "contact_represented",
}  # fmt: skip
