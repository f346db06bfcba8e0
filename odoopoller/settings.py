"""Every setting, read from the environment; `.env.example` and the README's table explain each one."""

import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environ import Env

from core.monitoring import sentry
from odoopoller import servers
from odoopoller.environment import Environment
from odoopoller.theme import UNFOLD  # noqa: F401 - the settings of the admin's theme

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = Environment(os.environ)
text, words, networks, whole = env.text, env.words, env.networks, env.whole
choice, switch, address = env.choice, env.switch, env.address

ENV_FILE = Path(text("ENV_FILE") or BASE_DIR / ".env")
env.load(ENV_FILE, must_exist=bool(text("ENV_FILE")))

DATA_DIR = Path(text("POLLER_DATA_DIR", str(BASE_DIR / "var")))
try:
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"POLLER_DATA_DIR cannot be used: {error.strerror}.") from None

# --- Django --------------------------------------------------------------------------------------------

SECRET_KEY = env.key("SECRET_KEY")
DEBUG = switch("DEBUG")
ALLOWED_HOSTS = [*words("ALLOWED_HOSTS"), "127.0.0.1", "localhost"]  # health checks come from the host itself
CSRF_TRUSTED_ORIGINS = servers.origins("CSRF_TRUSTED_ORIGINS", words("CSRF_TRUSTED_ORIGINS"))

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "odoopoller.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "axes",
    "connections",
    "core",
    "sync",
    "sync.legacy",
    "sandbox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "odoopoller.csp.content_security_policy",
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

DATABASE_URL = address("DATABASE_URL", "postgres", "postgresql", "sqlite")
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "poller.sqlite3")}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    | (servers.database("DATABASE_URL", DATABASE_URL, Env.db_url_config) if DATABASE_URL else SQLITE)
}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if IS_SQLITE:
    # IMMEDIATE: a transaction that reads and then writes waits for its turn instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY",
    } | DATABASES["default"].get("OPTIONS", {})

REDIS_URL = servers.redis("REDIS_URL", address("REDIS_URL", "redis", "rediss", "unix"))


def cache(name: str) -> dict[str, Any]:
    """Shared by all processes of a host; with Redis, by all hosts. Version 1 was pickles."""
    if REDIS_URL:
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": name,
            "VERSION": 2,
            "OPTIONS": {"serializer": "odoopoller.caches.JSONSerializer"},
        }
    return {
        "BACKEND": "odoopoller.caches.JSONFileCache",
        "LOCATION": str(DATA_DIR / "cache" / name),
        "VERSION": 2,
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }


CACHES: dict[str, dict[str, Any]] = {
    "default": cache(""),  # django-q2's heartbeat lives in it
    "masters": cache("masters"),  # sync/sources/odoo/master_data_cache.py
}

# --- The queue: a wake-up, never the truth. core/background/checks.py holds these numbers to their reasons --

WORKERS = whole("POLLER_WORKERS", 4, most=256)
TASK_SECONDS = 180

Q_CLUSTER: dict[str, Any] = {
    "name": "odoopoller",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,  # a task is a batch already; what one host has taken no other can do
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
    "label": _("Queue"),
    "cache": "default",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- The poller -----------------------------------------------------------------------------------------

ENCRYPTION_KEYS = env.encryption_keys("POLLER_ENCRYPTION_KEY")  # the first encrypts, all decrypt
FERNET_KEYS = ENCRYPTION_KEYS
FERNET_USE_HKDF = False  # a key is a Fernet key as it stands, so tokens of the old poller can be read

ALLOWED_NETWORKS = networks("POLLER_ALLOWED_NETWORKS")
CA_BUNDLE = text("POLLER_CA_BUNDLE")
PROXY_URL = servers.proxy("POLLER_PROXY_URL", text("POLLER_PROXY_URL"))
DEFAULT_WEBHOOK_URL = servers.web("POLLER_DEFAULT_WEBHOOK_URL", text("POLLER_DEFAULT_WEBHOOK_URL"))

SECRET_OVERLAP_HOURS = whole("POLLER_SECRET_OVERLAP_HOURS", 24, most=720)

TASK_THREADS = whole("POLLER_THREADS", 64, most=1000)
BATCH_SIZE = whole("POLLER_BATCH_SIZE", 50, most=1000)

DEEP_CHECK_MINUTES = whole("POLLER_DEEP_CHECK_MINUTES", 60, most=43_200)
DEEP_CHECK_DAYS = whole("POLLER_DEEP_CHECK_DAYS", 7, most=3650)
RECONCILE_HOURS = whole("POLLER_RECONCILE_HOURS", 24, most=8760)
RECONCILE_DAYS = whole("POLLER_RECONCILE_DAYS", 3, most=3650)

CONFIRM_ABOVE = whole("POLLER_CONFIRM_ABOVE", 100, most=1_000_000)
RUN_ROWS_PER_SECOND = whole("POLLER_RUN_ROWS_PER_SECOND", 50, most=10_000)

KEEP_PAYLOADS_DAYS = whole("POLLER_KEEP_PAYLOADS_DAYS", 30, most=36_500)
KEEP_LOGS_DAYS = whole("POLLER_KEEP_LOGS_DAYS", 30, most=36_500)
KEEP_IDLE_LOGS_HOURS = whole("POLLER_KEEP_IDLE_LOGS_HOURS", 24, most=876_000)
KEEP_ATTEMPTS_DAYS = whole("POLLER_KEEP_ATTEMPTS_DAYS", 30, most=36_500)

METRICS_TOKEN = text("POLLER_METRICS_TOKEN")
METRICS_NETWORKS = networks("POLLER_METRICS_NETWORKS", "127.0.0.0/8,::1/128")
METRICS_CONNECTIONS = whole("POLLER_METRICS_CONNECTIONS", 500, most=100_000)

# --- Mail, for alerts -----------------------------------------------------------------------------------

EMAIL_URL = address("EMAIL_URL", "smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail")
vars().update(servers.mail("EMAIL_URL", EMAIL_URL, Env.email_url_config) if EMAIL_URL else {})
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "odoopoller@localhost")

# --- Language and time ----------------------------------------------------------------------------------

LANGUAGE_CODE = choice("LANGUAGE_CODE", "en", "es").lower()
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "odoopoller.formats"
TIME_ZONE = text("TIME_ZONE", "UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured("TIME_ZONE must be a name such as Europe/Madrid.")
USE_TZ = True

# --- The desk -------------------------------------------------------------------------------------------

ENVIRONMENT = text("POLLER_ENVIRONMENT")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

STATIC_URL = "static/"
# Collected (in the image): names carry a hash and are cached for ever. Else served from where they are.
STATIC_ROOT = text("STATIC_ROOT") or None
STATICFILES = (
    "whitenoise.storage.CompressedManifest" if STATIC_ROOT else "django.contrib.staticfiles.storage."
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": f"{STATICFILES}StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not STATIC_ROOT
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
AXES_HANDLER = "core.login.limits.LoginLimits"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # "in 15 minutes" stays true however often one tries
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "core.login.lockout.client_ip"
AXES_LOCKOUT_CALLABLE = "core.login.lockout.locked"
PROXIES = whole("POLLER_PROXIES", 0, least=0, most=100)

# Acts show new secrets once, in a message: kept encrypted with the session, never in a cookie.
MESSAGE_STORAGE = "core.admin.sealed_messages.SealedStorage"

BEHIND_HTTPS = switch("POLLER_BEHIND_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_HTTPS
if BEHIND_HTTPS:  # a browser takes such a name only by HTTPS, for this host alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"

# --- Logs: JSON in production, readable lines in a terminal ---------------------------------------------

LOG_LEVEL = choice("POLLER_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR").upper()
LOG_FORMAT = choice("POLLER_LOG_FORMAT", "auto", "json", "text").lower()

DEFAULT_EXCEPTION_REPORTER = "core.monitoring.error_mails.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "core.monitoring.error_mails.Filter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "core.monitoring.log_format.JSONFormatter"},
        "text": {"()": "core.monitoring.log_format.TextFormatter"},
        "auto": {"()": "core.monitoring.log_format.formatter_for_stderr"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "poller": {"level": LOG_LEVEL},
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "axes": {"level": "WARNING"},
        "opentelemetry.util.re": {"level": "CRITICAL"},  # quotes OTEL_EXPORTER_OTLP_HEADERS, which hold keys
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # a scanner's doing, not ours
    },
}

# --- Faults of ours, to Sentry --------------------------------------------------------------------------

SENTRY_DSN = servers.web("POLLER_SENTRY_DSN", address("POLLER_SENTRY_DSN", "https", "http"))
if SENTRY_DSN:
    sentry.begin(SENTRY_DSN, release=VERSION, environment=ENVIRONMENT)

# --- Traces of polls and deliveries, to OpenTelemetry ---------------------------------------------------

OTLP_URL = servers.web("OTEL_EXPORTER_OTLP_ENDPOINT", address("OTEL_EXPORTER_OTLP_ENDPOINT", "https", "http"))

UNKNOWN_VARIABLES = env.unknown()  # sync/checks.py warns of them
