"""Import: what the poller that was here before us had sent and still owed becomes known to the ledger."""
