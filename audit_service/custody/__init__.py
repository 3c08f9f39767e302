"""Sealed exhibits, their custody events and the ledger of this instance; binds ``evidence_store``."""
