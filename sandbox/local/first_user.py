"""The first person of the admin: made once, with a random password that only the owner's account can read."""

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

NAME = "support"


def login(data_dir: Path) -> str:
    """How to log in, in a line. The first call makes the user, with every right on this machine's data."""
    users = get_user_model().objects
    file = data_dir / "login.txt"
    user = users.filter(username=NAME).first()
    if user is None:
        password = secrets.token_urlsafe(12)
        users.create_superuser(NAME, password=password)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"{NAME} / {password}\n")
    elif not file.exists() or not user.check_password(_password(file)):
        return _("%(name)s (new password: manage.py changepassword %(name)s)") % {"name": NAME}
    return file.read_text().strip()


def _password(file: Path) -> str:
    return file.read_text().strip().rpartition(" / ")[2]
