"""The `.env` file: what can be understood is; of any other line place and name are told, never its value."""

import os
import subprocess
from pathlib import Path

import pytest

from connections.encodings import Unreadable
from odoopoller.envfile import lines, value_of
from odoopoller.environment import Environment

SECRET = "hunter2-Zx7Lw2Vb8Nc1"


@pytest.fixture
def read(tmp_path):
    """The names and values of a file of these bytes."""

    def read(content):
        file = tmp_path / ".env"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {line.name: line.value for line in lines(file)}

    return read


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=v", "v"),
        ("A = v", "v"),
        ("A= v ", "v"),
        (" A=v", "v"),
        ("\tA=v", "v"),
        ("\u00a0A\u00a0=\u00a0v", "v"),
        ("export A=v", "v"),
        (" export\tA = v", "v"),
        ("A=v\r", "v"),
        ("\ufeffA=v", "v"),
        ("A='v'", "v"),
        ('A = "v"', "v"),
        ("A='v' # a comment", "v"),
        ('A="v" # a "comment"', "v"),
        ('A="a \\"quoted\\" word"', 'a "quoted" word'),
        ('A="first\\nsecond"', "first\\nsecond"),
        ("A='it's'", "it's"),
        ("A=v # no comment", "v # no comment"),
        ("A=v#w", "v#w"),
        ("A=$B", "$B"),
        ("A=a=b==", "a=b=="),
        ("A=ñandú", "ñandú"),
        ("A=v\u2028w", "v\u2028w"),
        ("A=", ""),
        ("A=''", ""),
    ],
)
def test_a_line_is_understood(read, line, value):
    assert read(line) == {"A": value}
    assert read(f"# before\n\n{line}\nB=1") == {"A": value, "B": "1"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_a_file_is_understood_however_it_was_saved(read, encoding):
    text = "# ma\u00f1ana\r\nA=one\r\nB=two\r\n"  # in a comment a strange byte does no harm
    assert read(text.encode(encoding)) == {"A": "one", "B": "two"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"SECRET_KEY: {SECRET}", "SECRET_KEY"),
        (f"SECRET_KEY {SECRET}", "SECRET_KEY"),
        (f"SECRET_KEY='{SECRET}", "SECRET_KEY"),
        (f'SECRET_KEY="{SECRET}', "SECRET_KEY"),
        (f'SECRET_KEY="{SECRET}" {SECRET}', "SECRET_KEY"),
        (f"SECRET_KEY={SECRET}\0", "SECRET_KEY"),
        (f"set SECRET_KEY={SECRET}", ""),
        (f"POLLER-WORKERS={SECRET}", ""),
        (f"={SECRET}", ""),
        (SECRET, ""),
        (SECRET.upper(), ""),
        (f'{SECRET[:7]}="', ""),  # the end of a secret that was broken over two lines
    ],
)
def test_a_line_that_is_not_understood_is_told_by_its_place(read, line, name):
    with pytest.raises(Unreadable) as error:
        read(f"# first\nDEBUG=off\n{line}\n")
    assert ", line 3" in str(error.value)
    assert (name in str(error.value)) if name else ("SECRET" not in str(error.value))
    assert SECRET[:7].lower() not in str(error.value).lower()


def test_a_line_in_another_encoding_is_told_by_its_place(read):
    with pytest.raises(Unreadable, match=r"line 2, SECRET_KEY: .* UTF-8") as error:
        read("DEBUG=off\nSECRET_KEY=contraseña\n".encode("latin-1"))
    assert "contrase" not in str(error.value)


def test_a_broken_utf_16_and_an_endless_file_are_refused(read):
    with pytest.raises(Unreadable, match="UTF-16"):
        read(b"\xff\xfeA\x00=\x00v")
    with pytest.raises(Unreadable, match="MB"):
        value_of(Path("/dev/zero"))


# --- Files that hold one value


@pytest.mark.parametrize(
    "content",
    [
        SECRET.encode(),
        f"{SECRET}\n".encode(),
        f" {SECRET}\r\n\r\n".encode(),
        SECRET.encode("utf-8-sig"),
        SECRET.encode("utf-16"),
    ],
)
def test_a_value_in_a_file(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    env = Environment({"TOKEN_FILE": str(tmp_path / "secret"), "TOKEN": "another"})
    assert env.text("TOKEN") == SECRET


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere", "No such file"),
        (".", "Is a directory"),
        ("binary", "not a text"),
        ("latin", "not a text"),
        ("x" * 5000, "too long"),
        ("lines", "line break"),
    ],
)
def test_a_file_with_no_value_in_it(tmp_path, path, said):
    (tmp_path / "binary").write_bytes(b"\x7fELF\x00\x01" + SECRET.encode())
    (tmp_path / "latin").write_bytes(f"contraseña{SECRET}".encode("latin-1"))
    (tmp_path / "lines").write_text(f"{SECRET}\n{SECRET}\n")
    env = Environment({"TOKEN_FILE": str(tmp_path / path)})
    with pytest.raises(Exception, match=said) as error:
        env.text("TOKEN")
    assert type(error.value).__name__ == "ImproperlyConfigured"
    assert "TOKEN" in str(error.value) and SECRET not in str(error.value)
    # Some write the secret itself where its file belongs. A dot ends the sentence.
    assert (path in str(error.value)) is (path == ".")


def test_what_the_process_gives_comes_first(tmp_path):
    (tmp_path / ".env").write_text("A=file\nB=file\nB=last\n")
    env = Environment(process := {"A": "process"})
    env.load(tmp_path / ".env", must_exist=True)
    assert process == {"A": "process", "B": "last"}
    assert (env.text("A"), env.text("B"), env.text("C", "default")) == ("process", "last", "default")


def test_a_misspelt_name_is_noticed(tmp_path):
    (tmp_path / ".env").write_text("POLLER_WORKER=8\nPOLLER_THREADS_FILE=/x\nPGSSLMODE=require\n")
    env = Environment({"POLLER_SERVICE_HOST": "10.0.0.1"})
    env.load(tmp_path / ".env", must_exist=True)
    env.text("POLLER_WORKERS")
    env.text("POLLER_PROXIES")
    assert env.unknown() == ["POLLER_THREADS_FILE", "POLLER_WORKER"]


# --- Whole processes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"SECRET_KEY = {SECRET}\nSECRET_KEY: {SECRET}".encode(), ", line 2, SECRET_KEY"),
        (f"SECRET_KEY={SECRET}ñ".encode("latin-1"), ", line 1, SECRET_KEY"),
        (None, "Is a directory"),
    ],
)
@pytest.mark.parametrize("program", ["manage", "keys"])
def test_a_process_stops_with_one_sentence(environment, manage, tmp_path, content, said, program):
    file = tmp_path / "settings.env"
    file.mkdir() if content is None else file.write_bytes(content)
    environment |= {"ENV_FILE": str(file)}
    del environment["SECRET_KEY"], environment["POLLER_ENCRYPTION_KEY"]
    command = [*manage, "connections"] if program == "manage" else [manage[0], "-m", "odoopoller.make_env"]
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=os.path.dirname(manage[1])
    )
    assert run.returncode == 1
    if not (content is None and program == "keys"):
        assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1 and str(file) in run.stderr
    assert SECRET not in run.stdout + run.stderr and "Traceback" not in run.stderr


def test_keys_find_what_is_written_in_another_way(environment, manage, tmp_path):
    file = tmp_path / "settings.env"
    file.write_bytes("export SECRET_KEY = 'abc'\r\n POLLER_ENCRYPTION_KEY =\r\n".encode("utf-16"))
    environment |= {"ENV_FILE": str(file)}
    del environment["SECRET_KEY"], environment["POLLER_ENCRYPTION_KEY"]
    run = subprocess.run(
        [manage[0], "-m", "odoopoller.make_env"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=os.path.dirname(manage[1]),
    )
    assert "Wrote POLLER_ENCRYPTION_KEY to" in run.stdout
    values = {line.name: line.value for line in lines(file)}
    assert values["SECRET_KEY"] == "abc" and len(values["POLLER_ENCRYPTION_KEY"]) == 44
    assert file.read_text().count("POLLER_ENCRYPTION_KEY") == 1
