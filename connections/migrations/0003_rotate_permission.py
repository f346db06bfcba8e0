from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0002_retired_secrets'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='connection',
            options={'ordering': ['name'], 'permissions': [('test_connection', 'Can test connections'), ('poll_connection', 'Can poll connections now'), ('pause_connection', 'Can pause and resume connections'), ('reset_circuit', 'Can reset circuits'), ('rotate_secret', 'Can rotate webhook secrets')], 'verbose_name': 'connection', 'verbose_name_plural': 'connections'},
        ),
    ]
