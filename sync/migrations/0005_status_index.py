from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0003_rotate_permission'),
        ('sync', '0004_take_over_and_nudge'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='retryitem',
            name='retryitem_open',
        ),
        migrations.AddIndex(
            model_name='retryitem',
            index=models.Index(fields=['status', '-id'], name='retryitem_status'),
        ),
    ]
