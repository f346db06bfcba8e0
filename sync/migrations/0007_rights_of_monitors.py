"""Administrators may see and change what alerts, nudges and secrets' rotation added."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEEN = ("sync.view_alert", "sync.view_job", "sync.view_pollerbeat", "sync.view_alertchannel")
CHANGES = (
    "sync.add_alertchannel",
    "sync.change_alertchannel",
    "sync.delete_alertchannel",
    "sync.change_job",
    "sync.change_nudgetoken",
    "connections.rotate_secret",
)
GROUPS = {"Viewer": SEEN, "Support": SEEN, "Administrator": SEEN + CHANGES}


def give_rights(apps, schema_editor):
    """Permissions are otherwise made only after all migrations, which is too late for us."""
    for label in ("connections", "sync"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, rights in GROUPS.items():
        group = Group.objects.filter(name=name).first()
        for right in rights if group else ():
            app, codename = right.split(".")
            found = Permission.objects.filter(content_type__app_label=app, codename=codename)
            group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0006_alerts_and_monitors"),
        ("connections", "0003_rotate_permission"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]
