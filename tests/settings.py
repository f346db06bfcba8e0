"""The product's settings in the tests' own environment: nothing of a developer's shell or .env gets in."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

DATA_DIR = Path(tempfile.gettempdir()) / f"odoopoller-tests-{os.getpid()}"
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)  # also after a run that found no tests
EXAMPLE = Path(__file__).parent.parent / ".env.example"

for name in re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE):
    os.environ.pop(name, None)
    os.environ.pop(f"{name}_FILE", None)

# What a test may rely on. Child processes get their own through the fixture `environment`.
os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "for-tests-only-" + "0123456789" * 5,
    "POLLER_ENCRYPTION_KEY": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "POLLER_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    "POLLER_DATA_DIR": str(DATA_DIR),
    "DATABASE_URL": os.environ.get("POLLER_TEST_DATABASE_URL") or f"sqlite:///{DATA_DIR / 'poller.sqlite3'}",
}

from odoopoller.settings import *  # noqa: E402, F403
from odoopoller.settings import CACHES, DATABASES, IS_SQLITE  # noqa: E402

# A file, not memory: threads and child processes must see it. The number keeps two runs apart.
TEST_NAME = str(DATA_DIR / "test.sqlite3") if IS_SQLITE else f"test_odoopoller_{os.getpid()}"
DATABASES["default"]["TEST"] = {"NAME": TEST_NAME}
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name} for name in CACHES
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
