"""Polls: which span is read, of which database, and what becomes of the orders in it."""
