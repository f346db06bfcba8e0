"""What `manage.py runpoller` is made of: a django-q2 cluster, watched, fed each second, stopped in time."""
