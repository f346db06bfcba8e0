"""Read by Django's own code; the letters are those of its template filter `date`."""

DATETIME_FORMAT = "j M Y, H:i:s T"
