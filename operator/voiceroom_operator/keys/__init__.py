"""Keys and certificates of pools: made, kept in Secrets, exchanged in time."""
