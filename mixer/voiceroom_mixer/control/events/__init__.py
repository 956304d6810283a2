"""Events to the people of a room: the journal, its subscribers, and the live figures."""
