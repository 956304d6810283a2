"""The objects that a pool owns, as dicts for server-side apply. Nothing here talks to a cluster."""
