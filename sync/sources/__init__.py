"""One file per kind of order source."""
