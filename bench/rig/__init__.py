"""What benches share: a scratch database, a sandbox that keeps evidence, a poller to hurt and measure."""
