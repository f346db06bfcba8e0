"""Caches hold JSON: what somebody else puts there is never unpickled, and costs nothing but a look."""

import os
import pickle
import uuid
import zlib

import pytest
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from django.urls import reverse

import odoopoller.settings as product
from odoopoller.caches import JSONFileCache, JSONSerializer
from odoopoller.settings import cache as configured

VALUES = ["text", 7, -1, 0, 1.5, True, None, [], {"a": [1, None]}, "ñ\n"]
RAN = []


class PlantedPickle:
    """A pickle of it runs code where it is opened."""

    def __reduce__(self):
        return (RAN.append, ("boom",))


@pytest.fixture(autouse=True)
def nothing_ran():
    RAN.clear()
    yield
    assert RAN == []


@pytest.fixture
def files(tmp_path):
    return JSONFileCache(str(tmp_path / "cache"), {})


@pytest.fixture
def redis_cache(redis_url):
    options = {"serializer": "odoopoller.caches.JSONSerializer"}
    cache = RedisCache(redis_url, {"OPTIONS": options, "KEY_PREFIX": uuid.uuid4().hex, "TIMEOUT": 60})
    yield cache
    cache.delete_many(["key", "forever"])


@pytest.fixture(params=["files", "redis_cache"])
def cache(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("value", VALUES)
def test_what_goes_in_comes_out(cache, value):
    cache.set("key", value)
    assert cache.get("key", "nothing") == value
    assert type(cache.get("key", "nothing")) is type(value)


def test_it_is_a_cache_in_all_other_ways(cache):
    assert cache.get("key", "default") == "default"
    assert cache.add("key", 1, timeout=60) and not cache.add("key", 2)
    assert cache.incr("key") == 2
    assert cache.touch("key", 60) and not cache.touch("other", 60)
    assert cache.get("key") == 2
    cache.set("gone", "value", timeout=-1)
    assert cache.get("gone") is None and "gone" not in cache
    cache.set("forever", "value", timeout=None)
    assert cache.get("forever") == "value"
    assert cache.delete("key") and "key" not in cache


def test_what_is_no_json_is_refused_when_it_is_put_in(cache):
    with pytest.raises(TypeError):
        cache.set("key", PlantedPickle())
    assert cache.get("key") is None


@pytest.mark.parametrize("head", [pickle.dumps(None), pickle.dumps(9e9), b"null\n", b"9999999999\n", b""])
@pytest.mark.parametrize(
    "body", [zlib.compress(pickle.dumps(PlantedPickle())), pickle.dumps(PlantedPickle()), b"\xff", b""]
)
def test_a_foreign_file_is_as_if_it_were_not_there(files, head, body):
    files.set("key", "value")
    [name] = os.listdir(files._dir)
    with open(os.path.join(files._dir, name), "wb") as file:
        file.write(head + body)
    assert files.get("key", "default") == "default"
    assert not files.touch("key", 60)
    files.set("key", "again")
    assert files.get("key") == "again"


def test_what_a_former_version_wrote_is_not_opened(tmp_path):
    folder = str(tmp_path / "cache")
    FileBasedCache(folder, {}).set("key", PlantedPickle())
    assert JSONFileCache(folder, {}).get("key", "default") == "default"


@pytest.mark.parametrize("data", [pickle.dumps(PlantedPickle()), b"\xff", b"", b"{", b"[" * 100_000])
def test_a_foreign_value_in_redis_is_as_if_it_were_not_there(data):
    assert JSONSerializer().loads(data) is None


@pytest.mark.redis
def test_a_foreign_value_in_redis_is_not_unpickled(redis_cache):
    redis_cache._cache.get_client(None).set(redis_cache.make_key("key"), pickle.dumps(PlantedPickle()))
    assert redis_cache.get("key") is None


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:6379/15"])
def test_the_products_caches_hold_json(monkeypatch, url):
    monkeypatch.setattr(product, "REDIS_URL", url)
    settings = configured("masters")
    holds = settings["OPTIONS"].get("serializer", settings["BACKEND"])
    assert holds == ("odoopoller.caches.JSONSerializer" if url else "odoopoller.caches.JSONFileCache")
    assert settings["VERSION"] > 1, "1 was pickles"


def test_the_themes_search_keeps_nothing(admin_client, monkeypatch):
    kept = []
    monkeypatch.setattr(
        "django.core.cache.backends.locmem.LocMemCache.set", lambda *args, **kw: kept.append(args)
    )
    for more in ("", "&extended=1"):
        answer = admin_client.get(reverse("admin:search") + "?s=connections" + more)
        assert "Connections" in answer.content.decode()
    assert kept == []


def test_the_themes_search_goes_by_todays_rights(django_user_model):
    user = django_user_model.objects.create_user("ana", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    address = reverse("admin:search") + "?s=connections"
    assert "Connections" in client.get(address).content.decode()
    django_user_model.objects.update(is_superuser=False)
    assert "Connections" not in client.get(address).content.decode()
