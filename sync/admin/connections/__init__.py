"""The pages of connections, and what can be done on them."""
