from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("connections", "0008_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="ids_database",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=100,
                verbose_name="database in ids",
            ),
        ),
    ]
