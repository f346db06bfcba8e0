"""A receiver that remembers, verifies, and misbehaves when told to."""
