"""Institutions, their agencies, the agents who call, and the people who use this service."""
