"""manage.py sandbox as a process: it says how to connect, serves, and stops at once."""

import http.client
import json
import signal
import subprocess

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command(manage, environment, tmp_path, end):
    state = tmp_path / "state.json"
    arguments = ["--version", "17", "19", "--port", "0", "--receiver-port", "0", "--state", str(state)]
    process = subprocess.Popen(
        [*manage, "sandbox", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        lines = []
        while "Ctrl-C" not in (lines or [""])[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "the sandbox ended early"
        accesses = json.loads(state.read_text())
        for access in accesses:
            assert {access["url"], access["api_key"], access["webhook_url"], access["webhook_secret"]} <= set(
                "".join(lines).split()
            )
            client = http.client.HTTPConnection(access["url"].removeprefix("http://"), timeout=10)
            client.request("POST", "/web/webclient/version_info", "{}", {"Content-Type": "application/json"})
            assert json.load(client.getresponse())["result"]["server_version"] == f"{access['version']}.0"
            client.close()
        process.send_signal(end)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_taken_port_is_explained(manage, environment, free_port_in_use):
    arguments = ["sandbox", "--port", "0", "--receiver-port", str(free_port_in_use)]
    run = subprocess.run([*manage, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "--receiver-port" in run.stderr
    assert "Traceback" not in run.stderr
