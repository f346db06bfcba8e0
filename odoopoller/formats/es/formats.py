"""Read by Django's own code; the letters are those of its template filter `date`."""

DATETIME_FORMAT = r"j \d\e F \d\e Y, H:i:s T"
