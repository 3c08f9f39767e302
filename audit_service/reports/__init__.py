"""Evidence-backed PDF reports, sealed as exhibits."""
