"""The form of a webhook secret: the standard one, or what keeps a library from verifying with it."""

import base64

from django.utils.translation import gettext as _

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes, by Standard Webhooks 1.0.0
LEGACY = "receiver_legacy_secret"  # the cause's code where a stored one has another form


def standard_key(secret: str) -> bytes | None:
    """The bytes that a standard secret stands for; None for any other text."""
    decoded = _decoded(secret) if secret.startswith(PREFIX) else None
    return decoded if decoded is not None and SHORTEST <= len(decoded) <= LONGEST else None


def form_problem(secret: str) -> str:
    """In a sentence, which never holds the secret, what is not standard about it; "" where nothing is."""
    if standard_key(secret) is not None:
        return ""
    if PREFIX in secret[1:]:
        return _("“whsec_” has to come first: leave out what stands before it.")
    if secret.startswith(PREFIX):
        return _problem_behind_the_prefix(secret)
    if standard_key(PREFIX + secret) is not None:
        return _("It does not begin with “whsec_”: was its beginning left out when it was copied?")
    return _("It is plain text; a standard secret is “whsec_” and 24 to 64 bytes in base64.")


def _problem_behind_the_prefix(secret: str) -> str:
    decoded = _decoded(secret)
    if decoded is None:
        return _(
            "What follows “whsec_” is not base64: letters were lost or added on the way. Copy all of it, "
            "with every “=” at its end."
        )
    return _("What follows “whsec_” stands for %(count)s bytes; a standard secret has 24 to 64.") % {
        "count": len(decoded)
    }


def _decoded(secret: str) -> bytes | None:
    """What follows the prefix, if it is base64."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # also binascii.Error
        return None
