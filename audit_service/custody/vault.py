"""The evidence store and the signing key of this instance, opened once for a process."""

from __future__ import annotations

from dataclasses import dataclass

from audit_service.settings import Settings
from evidence_store import LocalBackend, MasterKey, SigningKey, Store

ORIGIN = "collection-audit-service"


@dataclass(frozen=True)
class Vault:
    """Where bytes are sealed, and the key that signs the ledger's checkpoints."""

    store: Store
    signing_key: SigningKey
    origin: str = ORIGIN

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """Open the vault that ``settings`` names; creates the folder of a new instance."""
        settings.evidence_dir.mkdir(parents=True, exist_ok=True)
        store = Store(LocalBackend(settings.evidence_dir), MasterKey.from_base64(settings.master_key))
        return cls(store=store, signing_key=SigningKey.from_base64(settings.signing_key))
