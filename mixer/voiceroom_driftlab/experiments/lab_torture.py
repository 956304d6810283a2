"""``torture``: see the package of that name."""

from voiceroom_driftlab.torture.card import run

__all__ = ["run"]
