"""Every address the web process answers."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from odoopoller.health import healthz, readyz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
