"""Everybody may see questions about sources; who acts may answer them."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = {
    "Viewer": ("sync.view_question",),
    "Support": ("sync.view_question", "sync.answer_question"),
    "Administrator": ("sync.view_question", "sync.answer_question"),
}


def give_rights(apps, schema_editor):
    """Permissions are otherwise made only after all migrations, which is too late for us."""
    config = apps.get_app_config("sync")
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
        ("sync", "0011_identity_and_questions"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]
