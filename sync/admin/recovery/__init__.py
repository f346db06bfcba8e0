"""The pages of recoveries: choosing what an outage hit, and following the run."""
