"""When one call for many orders fails: which of them is the cause?"""

from collections.abc import Callable, Sequence

from connections.errors import RemoteError
from sync.orders import Order, Unreadable

Results = list[Order | Unreadable]
Read = Callable[[list[int]], Results]

# Causes that may lie in one order of a batch: a record rule on its partner, a computed field that breaks on
# it in whatever way, an answer that is too large or cannot be parsed.
_ONE_ORDER_MAY_CAUSE = {
    "odoo_bad_call",
    "odoo_broken_answer",
    "odoo_no_rights",
    "odoo_record_gone",
    "odoo_refused_call",
    "odoo_server_error",
    "odoo_too_large",
    "odoo_unknown_field",
    "odoo_unknown_method",
}


def one_order_may_cause(error: RemoteError) -> bool:
    return error.code in _ONE_ORDER_MAY_CAUSE


def narrow_down(read: Read, order_ids: list[int], controls: Sequence[int], error: RemoteError) -> Results:
    """Read what can be read of `order_ids`, for which `read` has failed; the rest is Unreadable.

    `controls` are other orders. Raises `error` when it is not the orders' fault: no control can be read
    either or, where there is none, neither the first nor the last of `order_ids`.
    """
    if not any(_is_readable(read, order_id) for order_id in controls or (order_ids[0], order_ids[-1])):
        raise error
    return _halves(read, order_ids, error)


def _is_readable(read: Read, order_id: int) -> bool:
    try:
        return bool(read([order_id]))
    except RemoteError as error:
        if not one_order_may_cause(error):
            raise
        return False


def _halves(read: Read, order_ids: list[int], error: RemoteError) -> Results:
    if len(order_ids) == 1:
        return [Unreadable(order_ids[0], str(error))]
    middle = len(order_ids) // 2
    results: Results = []
    for half in (order_ids[:middle], order_ids[middle:]):
        try:
            results += read(half)
        except RemoteError as again:
            if not one_order_may_cause(again):
                raise
            results += _halves(read, half, again)
    return results
