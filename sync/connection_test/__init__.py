"""The staged test of a connection, and what a receiver must be able to do."""
