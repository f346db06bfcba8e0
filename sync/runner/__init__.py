"""The processes of `runpoller` that know which kinds of work there are."""
