"""Task bodies and the worker: each task opens a transaction and calls one use-case; no logic lives here."""

from audit_service.jobs.worker import run_worker

__all__ = ["run_worker"]
