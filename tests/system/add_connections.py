"""Connections from stdin, a JSON list of their fields, into the database of this environment."""

import sys

import django
import orjson

django.setup()

from connections.models import Connection  # noqa: E402

Connection.objects.bulk_create([Connection(**fields) for fields in orjson.loads(sys.stdin.buffer.read())])
