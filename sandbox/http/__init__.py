"""A small HTTP server."""
