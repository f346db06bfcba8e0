"""HTTP to other systems: the only way out, and which addresses it may lead to."""
