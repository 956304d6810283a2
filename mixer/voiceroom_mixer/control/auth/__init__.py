"""Who may do what: keys, tokens, roles, PINs, request limits, and whose proxy is believed."""
