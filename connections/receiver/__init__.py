"""The receivers of signed webhooks: one delivery, its signature, when it is repeated."""
