"""Connections that are there already keep the name that their ids are made of today."""

from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    connections = apps.get_model("connections", "Connection").objects.using(schema_editor.connection.alias)
    connections.filter(ids_database="").update(ids_database=F("database"))


class Migration(migrations.Migration):

    dependencies = [
        ("connections", "0009_ids_database"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
