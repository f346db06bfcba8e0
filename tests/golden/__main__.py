"""Writes the golden files anew; look at the difference before you commit it: receivers will see it too."""

from tests.golden import write

write()
