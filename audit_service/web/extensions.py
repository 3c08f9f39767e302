"""What all pages share of other libraries: CSRF tokens and rate limits."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
# Counters live in the process: one web process is the default. Several need a shared store, set here.
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
