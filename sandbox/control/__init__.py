"""Steering the sandbox: by JSON and by a page."""
