"""The languages of a shop: which are installed, and what its records are called in them."""

from collections.abc import Iterator
from typing import Any

from sandbox.odoo.database import Row, World
from sandbox.odoo.errors import user_error

SOURCE = "en_US"
REFUSES_SINCE = 18  # up to 17 a language that is not installed gives what was written first


class Languages:
    """`installed` is code -> name; `terms` what people wrote in them."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.installed = {SOURCE: "English (US)"}
        self.terms: dict[tuple[str, str, int], dict[str, Any]] = {}

    def translate(self, language: str, model: str, record_id: int, **values: Any) -> None:
        """What fields of a record say in a language, which is installed by it."""
        self.installed.setdefault(language, language)
        self.terms.setdefault((language, model, record_id), {}).update(values)

    def view(self, world: World, language: str) -> World:
        """The records as somebody reads them who asks for this language."""
        return world if language in ("", SOURCE) else _Translated(world, self, language)


class _Translated(World):
    """The same records, read in another language; nobody writes through it."""

    def __init__(self, world: World, languages: Languages, language: str) -> None:
        self.__dict__.update(world.__dict__)
        self._languages = languages
        self._language = language

    def get(self, model: str, record_id: int) -> Row | None:
        row = super().get(model, record_id)
        return None if row is None else self._translated(model, row)

    def rows(self, model: str) -> Iterator[Row]:
        return (self._translated(model, row) for row in super().rows(model))

    def _translated(self, model: str, row: Row) -> Row:
        languages, language = self._languages, self._language
        if language not in languages.installed:
            if languages.version >= REFUSES_SINCE:
                raise user_error(f"Invalid language code: {language}")
            return row
        return {**row, **languages.terms.get((language, model, row["id"]), {})}
