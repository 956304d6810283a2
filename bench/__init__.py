"""Figures beside peers: ``python -m bench``. Never an assertion in a test."""
