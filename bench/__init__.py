"""Benches: real processes against the sandbox, measured or hurt from outside."""
