"""The server over real loopback sockets, the control, and the whole stage."""

import asyncio
import json

import pytest

from sandbox.http.answer import DROPPED, Answer
from sandbox.http.server import is_loopback, listen, port_of, take_request
from sandbox.run import Plan, Stage

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def talk(handle, conversation):
    """Run `conversation(connect)` against a server; connect() gives a reader and a writer."""

    async def run():
        server = await listen(handle, "127.0.0.1", 0)
        writers = []

        async def connect():
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            writers.append(writer)
            return reader, writer

        try:
            return await conversation(connect)
        finally:
            for writer in writers:
                writer.close()
            server.close()

    return asyncio.run(run())


async def read_answer(reader):
    """Status, headers, body of one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["Content-Length"]))


def echo(method, path, headers, body):
    return Answer(200, f"{method} {path} {len(body)}".encode(), {"Content-Type": "text/plain"})


def test_a_connection_serves_many_requests():
    async def conversation(connect):
        reader, writer = await connect()
        answers = []
        for length in (0, 5, 200_000):
            head = f"POST /x HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".encode()
            writer.write(head[:9])
            await writer.drain()
            writer.write(head[9:] + b"x" * length)
            answers.append(await read_answer(reader))
        return answers

    answers = talk(echo, conversation)
    assert [body for _, _, body in answers] == [b"POST /x 0", b"POST /x 5", b"POST /x 200000"]
    assert {headers["Connection"] for _, headers, _ in answers} == {"keep-alive"}


@pytest.mark.parametrize(
    "request_bytes", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), GET.replace(b"1.1", b"1.0")]
)
def test_a_connection_that_asks_to_be_closed_is(request_bytes):
    async def conversation(connect):
        reader, writer = await connect()
        writer.write(request_bytes)
        _, headers, _ = await read_answer(reader)
        return headers["Connection"], await reader.read()

    assert talk(echo, conversation) == ("close", b"")


def test_a_slow_answer_keeps_nobody_else_waiting():
    def handle(method, path, headers, body):
        return Answer(200, path.encode(), delay_seconds=3600 if path == "/slow" else 0.001)

    async def conversation(connect):
        _, slow_writer = await connect()
        slow_writer.write(GET.replace(b"/ ", b"/slow ", 1))
        reader, writer = await connect()
        writer.write(GET + GET)
        return [await read_answer(reader), await read_answer(reader)]

    assert [body for _, _, body in talk(handle, conversation)] == [b"/", b"/"]


def test_a_dropped_answer_is_no_answer():
    async def conversation(connect):
        reader, writer = await connect()
        writer.write(GET)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await read_answer(reader)

    talk(lambda *request: DROPPED, conversation)


BAD = [
    b"nonsense\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /" + b"x" * 70_000,
]


@pytest.mark.parametrize("request_bytes", BAD)
def test_what_is_no_request_is_answered_with_400(request_bytes):
    async def conversation(connect):
        reader, writer = await connect()
        writer.write(request_bytes)
        return await read_answer(reader)

    assert talk(echo, conversation)[0] == 400


def test_an_incomplete_request_waits():
    assert take_request(bytearray(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_only_loopback_is_served(host):
    with pytest.raises(ValueError, match="loopback"):
        asyncio.run(listen(echo, host, 0))


def test_loopback_has_several_names():
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"))


# --- the stage and its control ----------------------------------------------------------------------


@pytest.fixture
def stage(watch):
    return Stage(Plan(versions=(16, 19), shops=2, orders=3, port=0, receiver_port=0), watch)


def command(stage, body, **headers):
    given = {"host": "127.0.0.1:8070", "content-type": "application/json"} | headers
    return stage.control.handle("POST", "/control", given, json.dumps(body).encode())


def page(stage, path="/", **headers):
    return stage.control.handle("GET", path, {"host": "localhost"} | headers, b"")


def stats(stage):
    return json.loads(page(stage, "/control/stats").body)


def test_a_stage_listens_and_says_how_to_connect(stage):
    async def run():
        await stage.start()
        access = stage.accesses[-1]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(access.url.rpartition(":")[2]))
        body = b'{"domain": [], "fields": ["name"], "limit": 1, "order": "id"}'
        head = (
            f"POST /json/2/sale.order/search_read HTTP/1.1\r\nAuthorization: bearer {access.api_key}\r\n"
            f"X-Odoo-Database: {access.database}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await read_answer(reader)
        writer.close()
        await stage.stop()
        return answer

    status, _, body = asyncio.run(run())
    assert (status, json.loads(body)) == (200, [{"id": 1, "name": "S00001"}])
    assert [(each.name, each.version) for each in stage.accesses] == [
        ("shop16", 16),
        ("shop16-2", 16),
        ("shop19", 19),
        ("shop19-2", 19),
    ]
    assert stage.accesses[0].webhook_url.endswith("/hook/shop16")
    assert len({each.url for each in stage.accesses}) == 2
    assert all(each.api_key.startswith("sandbox-key-") for each in stage.accesses)


def test_ports_leave_one_for_the_receiver():
    assert Plan(versions=(16, 17, 18, 19)).ports() == [8069, 8071, 8072, 8073]


def test_commands_to_a_shop(stage):
    shop = stage.lives["shop16"].shop
    for body in ({"confirm": 2}, {"cancel": 1}, {"touch": 1, "change": 1}, {"late": 20}, {"lock": "1"}):
        assert command(stage, {"shop": "shop16", **body}).status == 200
    assert stats(stage)["shops"]["shop16"]["states"] == {"sale": 3, "cancel": 1, "done": 1}
    command(
        stage, {"shop": "*", "fault": "rate_limit", "count": 1, "retry_after": 9, "latency": 0.5, "rate": 30}
    )
    assert (shop.faults.take(), shop.faults.retry_after, shop.faults.kind) == ("rate_limit", "9", "")
    assert (shop.faults.latency_seconds, stage.lives["shop19"].per_minute) == (0.5, 30)
    command(stage, {"reset": True})
    assert shop.faults.latency_seconds == 0


def test_commands_to_a_hook(stage):
    command(
        stage,
        {"hook": "shop16", "mode": "status", "status": 503, "count": 1, "latency": 0.1, "secret": "a b"},
    )
    hook = stage.receiver.hook("shop16")
    assert (hook.mode.status, hook.latency_seconds, hook.secrets) == (503, 0.1, ("a", "b"))
    posts = [
        stage.control.handle("POST", "/hook/shop16", {}, b'{"external_id": "o", "version": 1}') for _ in "12"
    ]
    assert [answer.status for answer in posts] == [503, 401]
    assert stats(stage)["totals"]["requests"] == 2
    hook.secrets = ()
    stage.control.handle("POST", "/hook/shop16", {}, b'{"external_id": "o", "version": 1}')
    assert json.loads(page(stage, "/control/orders").body)["hooks"]["shop16"] == {"o": 1}


REFUSED = [{}, [], {"shop": "nosuch"}, {"hook": "main", "mode": "nosuch"}, {"shop": "shop16", "confirm": "x"}]


@pytest.mark.parametrize("body", REFUSED)
def test_a_command_nobody_understands_is_refused(stage, body):
    assert command(stage, body).status == 400


def test_the_page_shows_what_came_and_escapes_it(stage):
    body = {
        "external_id": "o",
        "version": 1,
        "event": "<b>",
        "customer": {"name": "<script>alert(1)</script>"},
    }
    stage.control.handle("POST", "/hook/<i>", {}, json.dumps(body | {"items": [1, 2]}).encode())
    answer = page(stage)
    text = answer.body.decode()
    assert answer.status == 200
    assert "&lt;script&gt;alert(1)" in text
    assert not any(tag in text for tag in ("<script", "<b>", "<i>"))


def test_a_button_leads_back_to_the_page(stage):
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/x-www-form-urlencoded",
        "origin": "http://127.0.0.1",
    }
    answer = stage.control.handle("POST", "/control", headers, b"shop=shop19&fault=hang")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert stage.lives["shop19"].shop.faults.kind == "hang"
    assert '<span class="bad">hang</span>' in page(stage).body.decode()
    stage.control.handle("POST", "/control", headers, b"shop=shop19&fault=")
    assert stage.lives["shop19"].shop.faults.kind == ""


def test_other_sites_do_not_reach_the_control(stage):
    assert page(stage, host="rebound.example").status == 403
    assert command(stage, {"reset": True}, origin="http://evil.example").status == 403
    assert page(stage, "/nosuch").status == 404
