"""Superset's settings; what is not said here is as Superset has it by itself.

Secrets and addresses come from the environment (.env), so that none stands in a file.
"""

import os
import time
from pathlib import Path

from cachelib.redis import RedisCache
from celery.signals import heartbeat_sent
from sqlalchemy.engine import URL


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"the environment variable {name} is missing: set it in .env")
    return value


SECRET_KEY = _variable("SUPERSET_SECRET_KEY")

# People reach it through a proxy that ends TLS: cookies go over TLS alone, and the proxy says who asks.
ENABLE_PROXY_FIX = True
SESSION_COOKIE_SECURE = True

LOG_LEVEL = "WARNING"

# --- what it remembers

SQLALCHEMY_DATABASE_URI = URL.create(
    "postgresql+psycopg2",
    username=_variable("SUPERSET_DB_USER"),
    password=_variable("SUPERSET_DB_PASSWORD"),
    host=_variable("SUPERSET_DB_HOST"),
    port=int(_variable("SUPERSET_DB_PORT")),
    database=_variable("SUPERSET_DB_NAME"),
).render_as_string(hide_password=False)
SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True, "pool_size": 4, "max_overflow": 8, "pool_recycle": 900}

# --- Redis: a database for each use

_REDIS = "redis://redis:6379"
_DAY = 24 * 3600


def _cache(name: str, timeout: int) -> dict:
    return {
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": f"{_REDIS}/2",
        "CACHE_KEY_PREFIX": f"superset_{name}_",
        "CACHE_DEFAULT_TIMEOUT": timeout,
    }


CACHE_CONFIG = _cache("metadata", _DAY)
# Rows flow within seconds; a chart that was asked for a minute ago is asked for again.
DATA_CACHE_CONFIG = _cache("data", 60)
FILTER_STATE_CACHE_CONFIG = _cache("filter_", 30 * _DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("explore_", 7 * _DAY)

RESULTS_BACKEND = RedisCache(host="redis", port=6379, db=4, key_prefix="superset_results_", default_timeout=_DAY)

RATELIMIT_ENABLED = True
RATELIMIT_STORAGE_URI = f"{_REDIS}/3"
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "20 per minute"

# --- the worker


class CeleryConfig:
    """One query at a time: a clinic's machine has few cores, and its database is busy with today's rows."""

    broker_url = f"{_REDIS}/0"
    result_backend = f"{_REDIS}/1"
    imports = ("superset.sql_lab", "superset.tasks.scheduler")
    worker_concurrency = 1
    worker_prefetch_multiplier = 1
    # A worker that has grown by a large result gives its memory back.
    worker_max_memory_per_child = 300_000
    worker_redirect_stdouts = False
    broker_connection_retry_on_startup = True
    result_expires = _DAY
    beat_schedule: dict = {}


CELERY_CONFIG = CeleryConfig

_ALIVE = Path("/tmp/worker-alive")


@heartbeat_sent.connect
def _touch(**_: object) -> None:
    """What the worker's health check looks at: asking through the broker would start all of Superset each time."""
    _ALIVE.write_text(str(time.time()))


# --- what people may do, and for how long

SUPERSET_WEBSERVER_TIMEOUT = 120
SQLLAB_TIMEOUT = 60
SQLLAB_ASYNC_TIME_LIMIT_SEC = 3600
ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000

FEATURE_FLAGS = {
    "DASHBOARD_RBAC": True,
    # Jinja in queries would let whoever may write one read the settings of this process.
    "ENABLE_TEMPLATE_PROCESSING": False,
}

# --- what browsers may load: nothing from elsewhere, so that no other machine learns who looks at what

TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": True,
}

# --- languages

BABEL_DEFAULT_LOCALE = "fr"
LANGUAGES = {
    "fr": {"flag": "fr", "name": "Français"},
    "en": {"flag": "us", "name": "English"},
}
