"""What `make run` does: everything on one machine, in one terminal."""
