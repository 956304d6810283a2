"""Compiled kernels of the media process: one small C library, each with a Python twin."""
