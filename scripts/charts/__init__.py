"""Writes what of the charts is made from other files."""
