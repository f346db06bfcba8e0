"""Every address the web process answers."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from odoopoller.health import healthz, metrics, readyz
from sync.views import nudge

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    re_path(r"^nudge/(?P<token>[^/]{1,100})/?$", nudge),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
