"""Superset: dashboards over the flattened tables, with Redis, a worker for long queries, and what makes it ready.

On a central server it reads the tables of all sites through Drill; the sink is there for its own records.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution, Options
from ozone_gen.components.migrate import sink_environment
from ozone_gen.plan import SitePlan, Variable
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.resources import templates
from ozone_gen.superset.names import DATABASE, READER
from ozone_gen.values import DATABASE_PATTERN, Password, Username, referenced_variable

ADMIN_PASSWORD: Final = "SUPERSET_ADMIN_PASSWORD"
OWN_USER: Final = "superset"
"""The user that owns Superset's own database."""

_TIMEOUT: Final = 120
"""Seconds after which a page gives up; long queries go to the worker."""

_LANGUAGES: Final = {
    "en": ("us", "English"),
    "es": ("es", "Español"),
    "fr": ("fr", "Français"),
    "it": ("it", "Italiano"),
    "nl": ("nl", "Nederlands"),
    "pt": ("pt", "Português"),
    "ru": ("ru", "Русский"),
    "ar": ("sa", "العربية"),
    "uk": ("ua", "Українська"),
    "zh": ("cn", "中文"),
}
"""Languages of sites that Superset is translated into, each with the flag that its menu shows."""


class SupersetOptions(Options):
    """Superset: dashboards over the flattened tables."""

    admin_username: Username = Field(default="admin", description="Name of its administrator, or ${VARIABLE}.")
    admin_password: Password = f"${{{ADMIN_PASSWORD}}}"
    database: str = Field(
        default="superset",
        pattern=DATABASE_PATTERN,
        description="Its own database, on the server of the flattened tables.",
    )
    https: bool = Field(
        default=False,
        description="People reach it through a proxy with TLS: cookies need TLS, and the proxy's headers are trusted.",
    )


class Superset:
    """The services `redis`, `superset-init`, `superset` and `superset-worker`."""

    name = "superset"
    options = SupersetOptions

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the services, their settings and the assets where ozone.yaml asks for Superset."""
        options = plan.components.get(self.name)
        if not isinstance(options, SupersetOptions):
            return Contribution()
        services = {
            "redis": _redis(plan),
            "superset-init": _init(plan, options),
            "superset": _web(plan, options),
            "superset-worker": _worker(plan, options),
        }
        return Contribution(
            services={ComposeFile.SUPERSET: services},
            files=(*_settings(plan, options), *_bundled(plan)),
            variables=_variables(plan, options),
            addresses=(Address(f"Superset, the dashboards (log in as `{options.admin_username}`)", "superset"),),
        )


def _bundled(plan: SitePlan) -> tuple[File, ...]:
    """The assets, and what superset-init has to know besides."""
    # Imported where they are needed: `validate` reads this module, too, for the options alone.
    from ozone_gen.superset.bundle import files, renamed_datasets
    from ozone_gen.superset.central import central_bundle
    from ozone_gen.superset.site import site_bundle

    bundle = site_bundle(plan) if plan.sources else central_bundle(plan)
    prepared = {
        "demo": any(source.demo for source in plan.sources),
        # What Superset reads there; a central server reads Drill, whose address is known.
        "schema": plan.sink.schema if plan.sources else None,
        "connections": [_connection(plan)] if plan.sources else [],
        "renamed_datasets": renamed_datasets(bundle),
    }
    return (*files(bundle, "superset/assets"), File("superset/superset.json", json_bytes(prepared)))


def _redis(plan: SitePlan) -> dict[str, Any]:
    return {
        **compose.running(plan, "redis"),
        "command": ["redis-server", "/etc/ozone/redis.conf"],
        "volumes": ["./superset/redis.conf:/etc/ozone/redis.conf:ro"],
        "healthcheck": compose.healthcheck("redis-cli ping | grep -q PONG"),
    }


def _built(plan: SitePlan, service: str, options: SupersetOptions) -> dict[str, Any]:
    """Begin a service of the site's own Superset image."""
    sink = plan.sink
    return {
        **compose.running(plan, service, image="superset"),
        "image": f"ozone-gen/{plan.site.id}-superset",
        "build": {"context": "./superset/image", "args": {"BASE_IMAGE": plan.images["superset"]}},
        "environment": {
            "SUPERSET_CONFIG_PATH": "/etc/ozone/superset_config.py",
            "SUPERSET_SECRET_KEY": _required(_SECRET_KEY),
            "SUPERSET_DB_HOST": f"${{SUPERSET_DB_HOST:-{sink.host.compose}}}",
            "SUPERSET_DB_PORT": f"${{SUPERSET_DB_PORT:-{sink.port.compose}}}",
            "SUPERSET_DB_NAME": f"${{SUPERSET_DB_NAME:-{options.database}}}",
            "SUPERSET_DB_USER": f"${{SUPERSET_DB_USER:-{OWN_USER}}}",
            "SUPERSET_DB_PASSWORD": _required(_DB_PASSWORD),
            # It would tell its makers of each start.
            "SCARF_ANALYTICS": "false",
            "MALLOC_ARENA_MAX": "2",
            "TZ": "UTC",
        },
        "volumes": ["./superset/superset_config.py:/etc/ozone/superset_config.py:ro"],
    }


def _init(plan: SitePlan, options: SupersetOptions) -> dict[str, Any]:
    begun = _built(plan, "superset-init", options)
    name = _admin_name(options)
    return {
        **begun,
        "command": ["python", "-m", "ozone_setup.superset_init"],
        "working_dir": "/opt/ozone",
        "restart": "no",
        "environment": {
            **begun["environment"],
            **sink_environment(plan),
            "SUPERSET_ADMIN_USERNAME": _required(name) if name else options.admin_username,
            "SUPERSET_ADMIN_PASSWORD": _required(_admin_password(options)),
            **(_reader() if plan.sources else {}),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        "volumes": [
            *begun["volumes"],
            "./superset/superset.json:/etc/ozone/superset.json:ro",
            "./superset/assets:/etc/ozone/assets:ro",
            "./setup:/opt/ozone/ozone_setup:ro",
        ],
        # It waits for PostgreSQL by itself, which may be in no file that is started.
        "depends_on": {"redis": compose.HEALTHY},
        # The image's own asks a web server, which is not here.
        "healthcheck": {"disable": True},
    }


def _reader() -> dict[str, str]:
    return {
        "SUPERSET_READER_USER": f"${{SUPERSET_READER_USER:-{READER}}}",
        "SUPERSET_READER_PASSWORD": _required(_READER_PASSWORD),
    }


def _web(plan: SitePlan, options: SupersetOptions) -> dict[str, Any]:
    begun = _built(plan, "superset", options)
    return {
        **begun,
        "command": ["gunicorn", "--config", "/etc/ozone/gunicorn.conf.py", "superset.app:create_app()"],
        "volumes": [*begun["volumes"], "./superset/gunicorn.conf.py:/etc/ozone/gunicorn.conf.py:ro"],
        "ports": compose.ports(plan, "superset", 8088),
        "depends_on": {"redis": compose.HEALTHY, "superset-init": compose.DONE},
        "healthcheck": compose.healthcheck("curl -sf -o /dev/null http://127.0.0.1:8088/health", start=300),
    }


def _worker(plan: SitePlan, options: SupersetOptions) -> dict[str, Any]:
    begun = _built(plan, "superset-worker", options)
    fresh = "test $$(($$(date +%s) - $$(stat -c %Y /tmp/worker-alive))) -lt 60"
    return {
        **begun,
        "command": [
            *("celery", "--app", "superset.tasks.celery_app:app", "worker"),
            *("--loglevel", "INFO", "--optimization", "fair", "--without-gossip", "--without-mingle"),
        ],
        "depends_on": {"redis": compose.HEALTHY, "superset-init": compose.DONE},
        "healthcheck": compose.healthcheck(fresh, start=300),
    }


def _connection(plan: SitePlan) -> dict[str, Any]:
    return {
        "file": f"databases/{DATABASE}.yaml",
        "driver": "postgresql+psycopg2",
        "variables": {
            "host": plan.sink.host.override,
            "port": plan.sink.port.override,
            "database": plan.sink.database.override,
            "user": "SUPERSET_READER_USER",
            "password": "SUPERSET_READER_PASSWORD",
        },
    }


def _settings(plan: SitePlan, options: SupersetOptions) -> tuple[File, ...]:
    languages = list(dict.fromkeys(locale.split("_")[0] for locale in plan.site.locales))
    spoken = [(code, _LANGUAGES[code]) for code in languages if code in _LANGUAGES]
    image = templates() / "superset"
    return (
        *(File(f"superset/image/{name}", (image / name).read_bytes()) for name in ("Dockerfile", "requirements.txt")),
        File(
            "superset/superset_config.py",
            render_text(
                "superset/superset_config.py.j2",
                https=options.https,
                timeout=_TIMEOUT,
                locale=spoken[0][0] if spoken else "en",
                languages=spoken if len(spoken) > 1 else [],
            ),
        ),
        File("superset/gunicorn.conf.py", render_text("superset/gunicorn.conf.py.j2", timeout=_TIMEOUT)),
        File("superset/redis.conf", render_text("superset/redis.conf.j2", memory=plan.memory["redis"] * 3 // 4)),
    )


_SECRET_KEY: Final = Variable(
    "SUPERSET_SECRET_KEY", "key that signs Superset's sessions, such as `openssl rand -base64 42` prints"
)
_DB_PASSWORD: Final = Variable("SUPERSET_DB_PASSWORD", "password of the user of Superset's own database")
_READER_PASSWORD: Final = Variable(
    "SUPERSET_READER_PASSWORD", "password of the user under which Superset reads the flattened tables"
)


def _admin_name(options: SupersetOptions) -> Variable | None:
    name = referenced_variable(options.admin_username)
    return Variable(name, "name of Superset's administrator") if name else None


def _admin_password(options: SupersetOptions) -> Variable:
    return Variable(
        referenced_variable(options.admin_password) or ADMIN_PASSWORD,
        f"password of Superset's administrator `{options.admin_username}`",
    )


def _required(variable: Variable) -> str:
    return f"${{{variable.name}:?{variable.meaning}}}"


def _variables(plan: SitePlan, options: SupersetOptions) -> tuple[Variable, ...]:
    demo = any(source.demo for source in plan.sources) and plan.sink.bundled
    literal = options.admin_password if referenced_variable(options.admin_password) is None else None

    def known(variable: Variable, value: str | None) -> Variable:
        return Variable(variable.name, variable.meaning, True, value)

    name = _admin_name(options)
    reader = [("READER_USER", "user under which Superset reads the flattened tables", READER)] if plan.sources else []
    return (
        known(_SECRET_KEY, "demo" if demo else None),
        *([name] if name else []),
        known(_admin_password(options), literal or ("demo" if demo else None)),
        known(_DB_PASSWORD, "demo" if demo else None),
        *([known(_READER_PASSWORD, "demo" if demo else None)] if plan.sources else []),
        *(
            Variable(f"SUPERSET_{name}", f"overrides the {meaning}", False, None, default)
            for name, meaning, default in (
                ("DB_HOST", "host of Superset's own database", f"${plan.sink.host.override}"),
                ("DB_PORT", "port of Superset's own database", f"${plan.sink.port.override}"),
                ("DB_NAME", "name of Superset's own database", options.database),
                ("DB_USER", "user of Superset's own database", OWN_USER),
                *reader,
            )
        ),
    )


component = Superset()
