"""Sealed packages that a regulator verifies offline."""
