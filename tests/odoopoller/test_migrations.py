"""Migrations after the first only add, so that old code runs on the new schema during an upgrade."""

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

APPS = ("connections", "core", "sync")
GROWING = {"CreateModel", "AddIndex", "AddConstraint", "AlterModelOptions", "RunPython", "RemoveIndex"}


def later():
    """Every operation after the initial migrations, and the models that its migration makes."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app in APPS and not name.startswith("0001"):
            made = {op.name.lower() for op in migration.operations if type(op).__name__ == "CreateModel"}
            for number, operation in enumerate(migration.operations):
                yield pytest.param(operation, made, id=f"{app}.{name}[{number}]")


@pytest.mark.parametrize(("operation", "made"), list(later()))
def test_old_code_can_run_on_it(operation, made):
    kind = type(operation).__name__
    if kind == "AddField" and operation.model_name.lower() not in made:
        field = operation.field
        assert field.null or field.db_default is not NOT_PROVIDED, operation.name
    elif kind != "AddField":
        assert kind in GROWING
