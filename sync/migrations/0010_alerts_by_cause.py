"""What the receiver never saw has causes of its own now: channels that were told of it go on being told."""

from django.db import migrations

WAS = "items_need_a_person"
NOW = ("odoo_unreadable_order", "receiver_bad_secret", "legacy_gave_up", "legacy_gone")


def widen(apps, schema_editor):
    for channel in apps.get_model("sync", "AlertChannel").objects.only("causes"):
        if WAS in channel.causes:
            channel.causes = [*channel.causes, *(code for code in NOW if code not in channel.causes)]
            channel.save(update_fields=["causes"])


def narrow(apps, schema_editor):
    for channel in apps.get_model("sync", "AlertChannel").objects.only("causes"):
        channel.causes = [code for code in channel.causes if code not in NOW]
        channel.save(update_fields=["causes"])


class Migration(migrations.Migration):
    dependencies = [("sync", "0009_hash_rules_and_notes")]

    operations = [migrations.RunPython(widen, narrow)]
