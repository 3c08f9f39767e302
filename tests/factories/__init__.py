"""Builders of stored things for tests: each takes the session and what matters to the test, and fills in the rest."""
