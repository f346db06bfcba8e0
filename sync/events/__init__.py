"""Events: what a change means for the receiver, and the body that tells it."""
