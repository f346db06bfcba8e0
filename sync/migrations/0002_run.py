
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0001_initial'),
        ('sync', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConnectionTest',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='last_test', serialize=False, to='connections.connection')),
                ('asked_by', models.CharField(blank=True, max_length=150, verbose_name='asked for by')),
                ('started_at', models.DateTimeField(verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('stages', models.JSONField(default=list, verbose_name='stages')),
                ('preview', models.BinaryField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'test of a connection',
                'verbose_name_plural': 'tests of connections',
            },
        ),
        migrations.CreateModel(
            name='DeliveredHour',
            fields=[
                ('hour', models.DateTimeField(primary_key=True, serialize=False, verbose_name='hour')),
                ('delivered', models.PositiveIntegerField(verbose_name='delivered')),
            ],
            options={
                'verbose_name': 'delivered in one hour',
                'verbose_name_plural': 'delivered per hour',
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('retry', 'Deliver'), ('resend', 'Send again'), ('discard', 'Discard')], max_length=10, verbose_name='what')),
                ('token', models.CharField(max_length=32, unique=True)),
                ('asked_by', models.CharField(max_length=150, verbose_name='asked for by')),
                ('asked_at', models.DateTimeField(verbose_name='asked for at')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('scope', models.JSONField(blank=True, default=dict, verbose_name='chosen')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='orders')),
                ('wish', models.CharField(choices=[('go', 'Go on'), ('pause', 'Pause'), ('cancel', 'Stop for good')], default='go', max_length=10, verbose_name='wish')),
                ('wished_by', models.CharField(blank=True, max_length=150, verbose_name='wished by')),
                ('wished_at', models.DateTimeField(blank=True, null=True, verbose_name='wished at')),
                ('next_at', models.DateTimeField(verbose_name='next step')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('error_code', models.CharField(blank=True, max_length=60, verbose_name='error')),
                ('error_detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
            ],
            options={
                'verbose_name': 'recovery',
                'verbose_name_plural': 'recoveries',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RunRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_id', models.BigIntegerField(verbose_name='Odoo id')),
                ('order_name', models.CharField(max_length=100, verbose_name='order')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('item_id', models.BigIntegerField(blank=True, null=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('left', 'Left alone')], default='waiting', max_length=10, verbose_name='state')),
                ('before', models.CharField(blank=True, max_length=12, verbose_name='before')),
                ('after', models.CharField(blank=True, max_length=12, verbose_name='after')),
                ('why', models.CharField(blank=True, max_length=60, verbose_name='why')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done at')),
            ],
            options={
                'verbose_name': 'order of a recovery',
                'verbose_name_plural': 'orders of a recovery',
            },
        ),
        migrations.AddIndex(
            model_name='seenorder',
            index=models.Index(django.db.models.functions.text.Upper('order_name'), name='seenorder_name_upper'),
        ),
        migrations.AddIndex(
            model_name='seenorder',
            index=models.Index(django.db.models.functions.text.Upper('reference'), condition=models.Q(('reference', ''), _negated=True), name='seenorder_reference_upper'),
        ),
        migrations.AddIndex(
            model_name='seenorder',
            index=models.Index(fields=['order_id'], name='seenorder_order'),
        ),
        migrations.AddField(
            model_name='run',
            name='undoes',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='undone_by', to='sync.run'),
        ),
        migrations.AddField(
            model_name='runrow',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='run_rows', to='connections.connection'),
        ),
        migrations.AddField(
            model_name='runrow',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='sync.run'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('finished_at__isnull', True), ('wish', 'go')), fields=['next_at'], name='run_due'),
        ),
        migrations.AddIndex(
            model_name='runrow',
            index=models.Index(fields=['run', 'state', 'connection', 'id'], name='runrow_next'),
        ),
        migrations.AddIndex(
            model_name='runrow',
            index=models.Index(fields=['connection', 'order_id'], name='runrow_order'),
        ),
        migrations.AddConstraint(
            model_name='runrow',
            constraint=models.UniqueConstraint(fields=('run', 'connection', 'order_id', 'version'), name='once_per_run'),
        ),
    ]
