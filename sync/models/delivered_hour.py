"""DeliveredHour: how many versions were delivered in one hour that is over, counted once."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveredHour(models.Model):
    hour = models.DateTimeField(_("hour"), primary_key=True)
    delivered = models.PositiveIntegerField(_("delivered"))

    class Meta:
        verbose_name = _("delivered in one hour")
        verbose_name_plural = _("delivered per hour")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00}: {self.delivered}"
