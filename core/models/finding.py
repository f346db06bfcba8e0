"""Finding: something that would otherwise go wrong in silence, as long as it lasts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.causes import explain
from connections.models import Connection


class Finding(models.Model):
    """One cause on one connection (or on none: the poller itself). It goes when the cause goes."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="findings", null=True, blank=True
    )
    code = models.CharField(_("cause"), max_length=60)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "code"], name="one_finding_per_cause"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(connection__isnull=True), name="one_finding_of_the_poller"
            ),
        ]

    def __str__(self) -> str:
        return str(explain(self.code).title)
