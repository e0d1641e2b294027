"""One notebook, run in every way that there is, and what differs from its cells run from top to bottom."""
