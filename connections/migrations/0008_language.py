from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("connections", "0007_circuit_waits"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="language",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Odoo's code of an installed language, such as es_MX: products, units, states and countries are sent in it. Empty: as they were first written in Odoo.",
                max_length=16,
                verbose_name="language of names",
            ),
        ),
    ]
