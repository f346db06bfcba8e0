"""Random histories of a shop, its poller and its receiver, and what must be true at the end of each."""
