"""What a web server loads. What is not configured is a sentence on standard error, not a traceback."""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import connections

from connections.secrets.keyring import require_readable_secrets
from odoopoller.plain_request import PlainRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "odoopoller.settings")
CANNOT_BE_LOADED = 4  # tells gunicorn that it is of no use to try again


def refuse(error: ImproperlyConfigured) -> NoReturn:
    sys.stderr.write(f"Not configured: {error}\n")
    sys.exit(CANNOT_BE_LOADED)


try:
    application = get_wsgi_application()
    application.request_class = PlainRequest
    require_readable_secrets()
except ImproperlyConfigured as error:
    refuse(error)
connections.close_all()  # workers that are forked from here must not share one
