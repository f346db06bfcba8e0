"""Every number and every moment that people can write has a lowest and a highest value."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import get_commands, load_command_class
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from connections.forms import ConnectionForm, filled
from connections.limits import plausible
from connections.models import Connection
from core.models import AlertChannel
from core.monitoring.admin.alerts import ChannelForm
from sync.admin.connections.pause import PauseForm
from tests.sync.commands.test_connection_commands import add

OURS = ("connections", "core", "sync")
NUMBERS = (models.IntegerField, models.FloatField, models.DecimalField)
WRITTEN_BY_PEOPLE = {Connection: ConnectionForm, AlertChannel: ChannelForm}


def forms_of_ours(base=forms.BaseForm):
    for form in base.__subclasses__():
        if form.__module__.split(".")[0] in OURS:
            yield form
        yield from forms_of_ours(form)


def fields(kind):
    """(form, name, field) of every field of this kind that stands for no column; those come below."""
    found = []
    for form in dict.fromkeys(forms_of_ours()):
        model = getattr(getattr(form, "_meta", None), "model", None)
        columns = {column.name for column in model._meta.fields} if model else set()
        typed = form.base_fields.items()
        found += [(form, name, f) for name, f in typed if isinstance(f, kind) and name not in columns]
    return found


def bounds(validators):
    """The narrowest of them."""
    least = [each.limit_value for each in validators if type(each) is MinValueValidator]
    most = [each.limit_value for each in validators if type(each) is MaxValueValidator]
    return max(least, default=None), min(most, default=None)


def test_every_number_of_a_form_has_bounds():
    found = fields(forms.IntegerField)
    assert len(found) >= 3
    for form, name, field in found:
        least, most = bounds(field.validators)
        assert least is not None and most is not None and 0 <= least < most < 2**31, (form, name)


def test_every_moment_of_a_form_has_bounds():
    found = fields(forms.DateTimeField | forms.DateField)
    assert len(found) >= 3
    for form, name, field in found:
        assert plausible in field.validators, (form, name)


@pytest.mark.parametrize("model", WRITTEN_BY_PEOPLE)
def test_every_column_that_people_write_has_bounds(model):
    form = WRITTEN_BY_PEOPLE[model]()
    columns = {column.name: column for column in model._meta.concrete_fields if column.name in form.fields}
    assert len(columns) > 5
    for name, column in columns.items():
        validators = [*column.validators, *form.fields[name].validators]  # Django asks both
        least, most = bounds(validators)
        if isinstance(column, NUMBERS):
            assert most is not None and least is not None and 0 <= least < most < 2**31, name
        if isinstance(column, models.DateTimeField):
            assert plausible in validators, name


def test_no_other_model_of_ours_can_be_written_by_people(admin_client):
    """Else its numbers would have to be looked at here too."""
    models_of_ours = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    looked_at = 0
    for model in set(models_of_ours) - set(WRITTEN_BY_PEOPLE):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
        try:
            address = reverse(name)
        except NoReverseMatch:  # it has no page at all
            continue
        assert admin_client.get(address).status_code == 403, model
        looked_at += 1
    assert looked_at > 10


@pytest.mark.parametrize(
    ("moment", "fits"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (datetime(1999, 12, 31, 23, tzinfo=UTC), False),
        (datetime(2000, 1, 1, tzinfo=UTC), True),
        (datetime(2099, 12, 31, 23, tzinfo=UTC), True),
        (datetime(2100, 1, 1, tzinfo=UTC), False),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), False),
    ],
)
def test_what_moments_are_plausible(moment, fits):
    if fits:
        plausible(moment)
        return
    with pytest.raises(ValidationError, match="2000"):
        plausible(moment)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "America/Lima"])
@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-30", "2101-01-01", "9999-12-31"])
def test_a_start_out_of_all_measure_is_refused(run, nobody, day, zone):
    with timezone.override(zone):
        printed = run(*add(start=day))
    assert printed.code == 1 and "--start: Write a moment from the year 2000 on" in printed.error
    assert not Connection.objects.exists()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "America/Lima"])
@pytest.mark.parametrize("until", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_pause_out_of_all_measure_is_refused(until, zone):
    with timezone.override(zone):
        form = PauseForm(None, data={"reason": "moving", "until": until})
        assert "until" in form.errors


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("company", "fits"),
    [
        ("0", False),
        ("-1", False),
        ("1", True),
        (f"{2**31 - 1}", True),
        (f"{2**31}", False),
        ("9" * 5000, False),
    ],
)
def test_a_company_is_a_number_of_odoo(run, nobody, company, fits):
    printed = run(*add(company=company))
    assert (printed.code == 0) is fits
    assert ("--company: " in printed.error) is not fits
    assert Connection.objects.filter(company_id=int(company[:10])).exists() is fits


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "9" * 400, "0", "-1", "1001"])
def test_a_rate_is_a_number(connection, number):
    form = filled(connection, {"deliveries_per_second": number})
    assert isinstance(form, ConnectionForm) and "deliveries_per_second" in form.errors


# Of Django's base; of a few choices; of ids, which `items_called` looks at.
OTHERWISE = {"verbosity", "versions", "ids"}


def test_every_number_of_a_command_has_bounds():
    """`int` and `float` know none."""
    plain = set()
    for name, app in get_commands().items():
        if app in ("core", "sync", "sync.legacy", "sandbox") and name != "migrate":
            parser = load_command_class(app, name).create_parser("manage.py", name)
            plain |= {action.dest for action in parser._actions if action.type in (int, float)}
    assert plain == OTHERWISE
