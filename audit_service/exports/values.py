"""Plain values of exports."""

from __future__ import annotations

from dataclasses import dataclass

from audit_service.custody.values import SYSTEM


@dataclass(frozen=True)
class ExportRequest:
    """What to hand over, to whom and why. Neither complaints nor exhibits named: everything.

    Attributes:
        recipient: to whom, as the ledger shall name it.
        purpose: why; goes into the ledger and the package.
        complaints: numbers of complaints; their proofs, the contacts they are about, the findings linked to them and
            their reports go in.
        exhibits: numbers of single exhibits, with what was transcribed and found in them.
        actor: who exports.
    """

    recipient: str
    purpose: str
    complaints: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()
    actor: str = SYSTEM

    @property
    def is_everything(self) -> bool:
        """Whether nothing was named, which means all."""
        return not self.complaints and not self.exhibits
