"""Compliance audit and complaint tracking for consumer-loan collection."""

__version__ = "0.1.0"
