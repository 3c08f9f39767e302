"""What a package says about itself, in both languages, for whoever opens it."""

from __future__ import annotations

from audit_service.exports.models import Export
from audit_service.i18n import LOCALES, gettext, speaking


def readme(export: Export) -> str:
    """Return the text of ``README.txt``: first in one language, then in the other. Needs an application context."""
    return "\n\n".join(_in_one_language(export, locale) for locale in LOCALES) + "\n"


def _in_one_language(export: Export, locale: str) -> str:
    with speaking(locale):
        return "\n".join(
            (
                gettext("Export %(number)s", number=export.number),
                gettext("Written: %(instant)s UTC", instant=f"{export.created_at:%Y-%m-%d %H:%M:%S}"),
                gettext("For: %(recipient)s", recipient=export.recipient),
                gettext("Purpose: %(purpose)s", purpose=export.purpose),
                gettext(
                    "Exhibits: %(exhibits)s. Ledger entries: %(entries)s.",
                    exhibits=export.exhibits,
                    entries=export.ledger_size,
                ),
                "",
                gettext("What is where (the folder is a BagIt bag, RFC 8493):"),
                "  data/exhibits/        " + gettext("the sealed files, byte for byte as they were received"),
                "  data/exhibits.jsonl   " + gettext("number, digest, size and kind of each exhibit"),
                "  data/ledger.jsonl     " + gettext("every act since the beginning, chained by hashes; always whole"),
                "  data/checkpoints/     " + gettext("signed statements of the ledger's size and Merkle root"),
                "  data/public-key.txt   " + gettext("the key that signed them; compare it with the published one"),
                "  data/documents/       "
                + gettext("contacts, findings, transcripts, complaints and rule packs, one record a line"),
                "",
                gettext("How to verify, without a network:"),
                "  python -m evidence_store verify " + gettext("FOLDER"),
                "  sha256sum -c manifest-sha256.txt",
                "",
                gettext(
                    "The documents name borrowers by the institution's reference only. Exhibits are whole: recordings,"
                    " logs and reports may show personal data, logs also of persons who are not concerned here. Use"
                    " them for the stated purpose only."
                ),
            )
        )
