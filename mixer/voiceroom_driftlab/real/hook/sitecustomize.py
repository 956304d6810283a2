"""On the path of the mixer under test only: lets the laboratory into its media process."""

from voiceroom_driftlab.real import inside

inside.offer()
