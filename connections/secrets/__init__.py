"""Stored secrets: encrypted fields, keys, and replacing a webhook secret."""
