"""What an Odoo server refuses, with the names, words and HTTP statuses that real servers answer."""


class OdooError(Exception):
    """An error an Odoo server answers with.

    `name` is the exception's dotted name as in `error.data.name`, `message` its text, `status` the HTTP
    status JSON-2 gives it. `/jsonrpc` answers every one of them with HTTP 200.
    """

    def __init__(self, name: str, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


def access_denied(message: str = "Access Denied") -> OdooError:
    return OdooError("odoo.exceptions.AccessDenied", message, 403)


def access_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.AccessError", message, 403)


def user_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.UserError", message, 422)


def missing_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.MissingError", message, 404)


def value_error(message: str) -> OdooError:
    return OdooError("builtins.ValueError", message)


def type_error(message: str) -> OdooError:
    return OdooError("builtins.TypeError", message, 422)


def http_error(name: str, message: str, status: int) -> OdooError:
    return OdooError(f"werkzeug.exceptions.{name}", message, status)


def unknown_field(version: int, model: str, name: str) -> OdooError:
    owner = f"'{model}'" if version >= 19 else f"model '{model}'"
    return value_error(f"Invalid field '{name}' on {owner}")


def model_denied(model: str, label: str, operation: str = "access") -> OdooError:
    return access_error(
        f"You are not allowed to {operation} '{label}' ({model}) records.\n\n"
        "This operation is allowed for the following groups:\n\t- Sales/Administrator\n"
        "\t- Sales/User: Own Documents Only\n\n"
        "Contact your administrator to request access if necessary."
    )


def record_denied(version: int, model: str, label: str, user: str) -> OdooError:
    if version < 17:
        return access_error(
            f"Due to security restrictions, you are not allowed to access '{label}' ({model}) records.\n\n"
            f"User: {user}\n\nThis restriction is due to the following rules:\n- Personal Orders\n\n"
            "Contact your administrator to request access if necessary."
        )
    return access_error(
        "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\n"
        f"Sorry, {user} doesn't have 'read' access to:\n- {label} ({model})\n\n"
        "If you really, really need access, perhaps you can win over your friendly administrator with a "
        "batch of freshly baked cookies."
    )


def no_database(database: str) -> OdooError:
    return OdooError(
        "psycopg2.OperationalError",
        'connection to server at "127.0.0.1", port 5432 failed: '
        f'FATAL:  database "{database}" does not exist\n',
    )


def postgres_down() -> OdooError:
    return OdooError(
        "psycopg2.OperationalError",
        'connection to server at "127.0.0.1", port 5432 failed: Connection refused\n'
        "\tIs the server running on that host and accepting TCP/IP connections?\n",
    )
