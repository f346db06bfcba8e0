"""The rows of the table of figures, one module each: what is measured, how, and what it should be."""

from bench.rows import (
    backlog,
    burst,
    calls,
    fairness,
    growth,
    hosts,
    idle,
    lag,
    memory,
    tenthousand,
)
from bench.rows.row import Row

MODULES = (backlog, burst, idle, memory, calls, tenthousand, hosts, fairness, lag, growth)
ROWS: dict[str, Row] = {module.ROW.name: module.ROW for module in MODULES}
