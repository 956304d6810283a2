"""Builds the container images into a cache outside the checkout, without Docker and registries."""
