"""How large a number and how far off a moment may be that people write."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_ID = 2_147_483_647  # Odoo counts its records in four bytes
YEARS = (2000, 2100)


def plausible(moment: datetime) -> None:
    """Raises ValidationError for a moment with which the arithmetic of windows would break."""
    if not YEARS[0] <= moment.year < YEARS[1]:
        raise ValidationError(_("Write a moment from the year 2000 on and before 2100."), code="implausible")
