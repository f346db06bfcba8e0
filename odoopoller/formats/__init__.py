"""How times are written, per language: with seconds and their zone, since people compare them with logs."""
