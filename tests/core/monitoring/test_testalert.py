"""testalert: one channel or all of them, and an exit code."""

import pytest
import responses

from tests import factories

pytestmark = pytest.mark.django_db
SLACK = "https://hooks.slack.com/services/T0/B0/canary"


def test_without_a_channel_it_says_where_to_make_one(run):
    assert "Make one in the admin" in run("testalert").error


def test_every_enabled_channel_is_told(run, web):
    web.add(responses.POST, SLACK, body="ok")
    factories.channel("Ops", kind="slack", target=SLACK)
    factories.channel("Off", kind="slack", target=SLACK, enabled=False)
    assert run("testalert").out.strip() == "Ops: told."
    assert run("testalert", "Off").out.strip() == "Off: told."
    assert "This is a test" in web.calls[0].request.body.decode()


def test_a_refusal_is_a_sentence_and_an_exit_code(run, web):
    web.add(responses.POST, SLACK, status=404)
    factories.channel("Ops", kind="slack", target=SLACK)
    with pytest.raises(SystemExit):
        run("testalert")
