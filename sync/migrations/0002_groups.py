"""Three groups of people: who looks, who acts, who administers. What somebody changed in one of them stays."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEEN = (
    "connections.view_connection",
    "core.view_alert",
    "core.view_alertchannel",
    "core.view_finding",
    "core.view_pollerheartbeat",
    "core.view_schedulestatus",
    "sync.view_seenorder",
    "sync.view_sentorder",
    "sync.view_retryitem",
    "sync.view_deliveryattempt",
    "sync.view_synclog",
    "sync.view_reconciliation",
    "sync.view_run",
    "sync.view_question",
)
ACTS = (
    "sync.view_payload",
    "sync.retry_item",
    "sync.discard_item",
    "sync.resend_order",
    "sync.reconcile_connection",
    "sync.answer_question",
    "connections.test_connection",
    "connections.poll_connection",
    "connections.pause_connection",
    "connections.reset_circuit",
)
CHANGES = (
    "connections.add_connection",
    "connections.change_connection",
    "connections.delete_connection",
    "connections.rotate_secret",
    "core.add_alertchannel",
    "core.change_alertchannel",
    "core.delete_alertchannel",
    "core.change_schedulestatus",
    "sync.change_nudgetoken",
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.view_group",
    "axes.view_accessattempt",
    "axes.delete_accessattempt",
    "axes.view_accesslog",
    "axes.view_accessfailurelog",
    "django_q.view_schedule",
    "django_q.view_failure",
    "django_q.view_success",
)
GROUPS = {"Viewer": SEEN, "Support": SEEN + ACTS, "Administrator": SEEN + ACTS + CHANGES}
APPS = ("auth", "axes", "django_q", "connections", "core", "sync")


def make_groups(apps, schema_editor):
    """Permissions are otherwise made only after all migrations, which is too late for us."""
    for label in APPS:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, rights in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(_permissions(Permission, rights))


def _permissions(Permission, rights):
    for right in rights:
        app, codename = right.split(".")
        yield Permission.objects.get(content_type__app_label=app, codename=codename)


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0001_initial"),
        ("core", "0001_initial"),
        ("sync", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("axes", "0008_accessfailurelog"),
        ("django_q", "0007_ormq"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
