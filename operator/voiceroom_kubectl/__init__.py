"""``kubectl voiceroom``: what an SRE asks of rooms and pools. It needs no operator to be up."""
