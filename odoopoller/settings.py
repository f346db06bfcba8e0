"""Every setting, read from the environment; `.env.example` and the README's table explain each one."""

from pathlib import Path
from typing import Any

import environ
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = environ.FileAwareEnv()
# A value beginning with "$" is a value, never a reference to another variable.
env.interpolate = False
env.read_env(env.path("ENV_FILE", default=str(BASE_DIR / ".env")), overwrite=False)

DATA_DIR = Path(env.str("POLLER_DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- Django --------------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "axes",
    "connections",
    "sync",
    "odoopoller.sandbox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "odoopoller.urls"
WSGI_APPLICATION = "odoopoller.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Data: SQLite until DATABASE_URL says otherwise -----------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'poller.sqlite3'}")
}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
if IS_SQLITE:
    # IMMEDIATE: a transaction that reads and then writes waits for its turn instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY",
    } | DATABASES["default"].get("OPTIONS", {})

REDIS_URL = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    # Shared by all processes of a host: django-q2's heartbeat lives in it.
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "cache"),
    }
}

# --- The queue: a wake-up, never the truth. sync/checks.py holds these numbers to their reasons ---------

WORKERS = env.int("POLLER_WORKERS", default=4)
TASK_SECONDS = 180

Q_CLUSTER: dict[str, Any] = {
    "name": "odoopoller",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 5,
    "timeout": TASK_SECONDS,
    "retry": TASK_SECONDS * 5,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "guard_cycle": 0.5,
    "poll": 0.2,
    "recycle": 2000,
    "daemonize_workers": True,
    "label": "Queue",
    "cache": "default",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- The poller -----------------------------------------------------------------------------------------

ENCRYPTION_KEYS = env.list("POLLER_ENCRYPTION_KEY", default=[])
FERNET_KEYS = ENCRYPTION_KEYS
FERNET_USE_HKDF = False  # a key is a Fernet key as it stands, so tokens of the old poller can be read

ALLOWED_NETWORKS = env.list("POLLER_ALLOWED_NETWORKS", default=[])
CA_BUNDLE = env.str("POLLER_CA_BUNDLE", default="")
PROXY_URL = env.str("POLLER_PROXY_URL", default="")
DEFAULT_WEBHOOK_URL = env.str("POLLER_DEFAULT_WEBHOOK_URL", default="")

TASK_THREADS = env.int("POLLER_THREADS", default=64)
BATCH_SIZE = env.int("POLLER_BATCH_SIZE", default=50)

KEEP_PAYLOADS_DAYS = env.int("POLLER_KEEP_PAYLOADS_DAYS", default=30)
KEEP_LOGS_DAYS = env.int("POLLER_KEEP_LOGS_DAYS", default=30)
KEEP_IDLE_LOGS_HOURS = env.int("POLLER_KEEP_IDLE_LOGS_HOURS", default=24)
KEEP_ATTEMPTS_DAYS = env.int("POLLER_KEEP_ATTEMPTS_DAYS", default=30)

# --- Language and time ----------------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- The desk -------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

BEHIND_HTTPS = env.bool("POLLER_BEHIND_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"

# --- Logs: JSON in production, readable lines in a terminal ---------------------------------------------

LOG_LEVEL = env.str("POLLER_LOG_LEVEL", default="INFO").upper()
LOG_FORMAT = env.str("POLLER_LOG_FORMAT", default="auto")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "sync.logs.JSONFormatter"},
        "text": {"()": "sync.logs.TextFormatter"},
        "auto": {"()": "sync.logs.formatter_for_stderr"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "poller": {"level": LOG_LEVEL},
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "axes": {"level": "WARNING"},
    },
}
