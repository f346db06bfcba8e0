"""The admin in Spanish: no English where the browser or the user asks for Spanish."""

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from connections.models import Connection
from sync.models import RetryItem
from tests.core.admin.test_every_page import MODELS, names, pages_of, place
from tests.odoopoller.test_translations import entries, files

INDEX = reverse("admin:index")
SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
ENGLISH = re.compile(
    r"\b(the|and|not|with|orders?|connections?|receiver|polls?|retry|retries|delivery|attempts?|circuit|findings?|"
    r"reconciliations?|overview|settings|save|delete|search|add|view|filters?|language|name|user|users|"
    r"needs?|waiting|sent|paused|disabled|ago|today|seconds?|password|welcome|change)\b",
    re.IGNORECASE,
)
MEANT = re.compile(
    r"X-[\w-]+|\(Activate the developer mode\)|^English$"
)  # as Odoo, HTTP or the switch say it
HIDDEN_TAGS = ("script", "style")
HIDDEN_CLASSES = {"material-symbols-outlined", "font-mono"}
SHOWN_ATTRIBUTES = ("title", "placeholder", "aria-label", "alt")


class Reader(HTMLParser):
    """What a person reads on a page: texts and labels, without scripts, icons and technical details."""

    def __init__(self, html):
        super().__init__()
        self.texts, self.hidden = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.texts += [attributes[name] for name in SHOWN_ATTRIBUTES if attributes.get(name)]
        if tag in HIDDEN_TAGS or not HIDDEN_CLASSES.isdisjoint((attributes.get("class") or "").split()):
            self.hidden = tag

    def handle_endtag(self, tag):
        if tag == self.hidden:
            self.hidden = ""

    def handle_data(self, data):
        if data.strip() and not self.hidden:
            self.texts.append(" ".join(data.split()))


def texts(response):
    return Reader(response.content.decode()).texts


@pytest.fixture(scope="module")
def originals():
    """The English texts that have other words in Spanish."""
    [catalogue] = files()
    known = [entry for entry in entries(catalogue.read_text(encoding="utf-8")) if entry["msgid"]]
    return {e["msgid"].lower() for e in known if e["msgid"] not in (e.get("msgstr"), "English")}


@pytest.mark.parametrize("model", MODELS, ids=names(MODELS))
def test_no_text_of_ours_stays_english(model, admin_client, fill, originals):
    fill(2, text="Tienda")
    for address in [INDEX, *pages_of(model)]:
        shown = texts(admin_client.get(address, headers=SPANISH))
        assert [text for text in shown if text.lower() in originals] == [], address


def test_support_staff_read_their_language(admin_client, fill):
    fill(2, text="Tienda")
    connection = Connection.objects.first()
    item = RetryItem.objects.first()
    wanted = {
        INDEX: ["Resumen", "Qué requiere intervención", "Conexiones", "¿Dónde está mi pedido?"],
        place(Connection, "changelist"): ["Próxima consulta", "Receptor", "Circuito abierto"],
        place(Connection, "change", connection.pk): ["Consultar ahora", "Clave de API", "Última consulta"],
        place(RetryItem, "change", item.pk): [
            "Reintentar ahora",
            "El receptor rechaza este pedido",
            "Intentos",
        ],
    }
    for address, words in wanted.items():
        shown = texts(admin_client.get(address, headers=SPANISH))
        assert [word for word in words if word not in shown] == [], address
        english = [text for text in shown if ENGLISH.search(MEANT.sub("", text))]
        assert english == [], address


def test_a_chosen_language_stays(admin_client, connection):
    admin_client.post(reverse("set_language"), {"language": "es", "next": INDEX})
    page = place(Connection, "change", connection.pk)
    assert "Probar conexión" in texts(admin_client.get(page, headers={"Accept-Language": "en"}))


def test_what_an_act_says_is_spanish_too(admin_client, fill):
    fill(1, text="Tienda")
    item = RetryItem.objects.first()
    pressed = {"action": "retry", "index": "0", "_selected_action": [item.pk]}
    response = admin_client.post(place(RetryItem, "changelist"), pressed, headers=SPANISH, follow=True)
    assert "1 pedido se reintenta en unos segundos." in texts(response)
