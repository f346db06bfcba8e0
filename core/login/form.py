"""The form of the login page."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator
from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """A name longer than any user's stops here: PostgreSQL has no room for it among the failed logins."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["username"]
        name.validators = [*name.validators, MaxLengthValidator(name.max_length)]
