"""The bundled databases: an OpenMRS database with made-up patients, and the PostgreSQL of the flattened tables."""

from __future__ import annotations

from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.plan import ROOT_PASSWORD, ROOT_PASSWORD_MEANING, SitePlan
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File


class Databases:
    """The services `mysql` and `postgresql`, each where the site does not have a database of its own."""

    name = "databases"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the bundled databases that the plan asks for."""
        services: dict[str, Any] = {}
        volumes: list[str] = []
        files: list[File] = []
        addresses: list[Address] = []
        if plan.sources and plan.source.demo is not None:
            services["mysql"] = _mysql(plan)
            volumes.append("mysql-data")
            files += _mysql_files(plan)
            what = "The OpenMRS database with made-up patients"
            addresses.append(Address(what, "mysql", "", f", database `{plan.source.database}`"))
        if plan.sink.bundled:
            services["postgresql"] = _postgresql(plan)
            volumes.append("postgresql-data")
            where = f", database `{plan.sink.database.value}`, schema `{plan.sink.schema}`"
            # The rows of a central server are in its object store.
            what = "PostgreSQL, the flattened tables" if plan.sources else "PostgreSQL, Superset's own records"
            addresses.append(Address(what, "postgresql", "", where))
        if not services:
            return Contribution()
        return Contribution(
            services={ComposeFile.DATABASES: services},
            volumes={ComposeFile.DATABASES: tuple(volumes)},
            files=tuple(files),
            addresses=tuple(addresses),
        )


def _mysql(plan: SitePlan) -> dict[str, Any]:
    source = plan.source
    prefix = source.engine.upper()
    client = "mariadb-admin" if source.engine == "mariadb" else "mysqladmin"
    # While the server fills itself on its first start it listens on its socket only, so TCP means ready.
    ready = f'{client} ping --silent -h 127.0.0.1 -u root -p"$${prefix}_ROOT_PASSWORD"'
    return {
        **compose.running(plan, "mysql", image=source.engine),
        "environment": {
            f"{prefix}_ROOT_PASSWORD": f"${{{ROOT_PASSWORD}:?{ROOT_PASSWORD_MEANING}}}",
            f"{prefix}_DATABASE": source.database,
            "OZONE_USERNAME": source.username.compose,
            "OZONE_PASSWORD": source.password.compose,
            "TZ": "UTC",
        },
        "volumes": [
            "mysql-data:/var/lib/mysql",
            "./mysql/ozone.cnf:/etc/mysql/conf.d/ozone.cnf:ro",
            "./mysql/initdb:/docker-entrypoint-initdb.d:ro",
        ],
        "ports": compose.ports(plan, "mysql", 3306),
        "healthcheck": compose.healthcheck(ready, start=600),
    }


def _mysql_files(plan: SitePlan) -> list[File]:
    source = plan.source
    demo = source.demo
    assert demo is not None
    return [
        File("mysql/ozone.cnf", render_text("mysql/ozone.cnf.j2", engine=source.engine)),
        File("mysql/initdb/10-demo-data.sql", demo_sql(demo.patients, demo.seed)),
        File(
            "mysql/initdb/20-connector-user.sh",
            render_text("mysql/initdb/20-connector-user.sh.j2", source=source, prefix=source.engine.upper()),
            executable=True,
        ),
    ]


def _postgresql(plan: SitePlan) -> dict[str, Any]:
    sink = plan.sink
    return {
        **compose.running(plan, "postgresql"),
        "environment": {
            "POSTGRES_DB": sink.database.compose,
            "POSTGRES_USER": sink.username.compose,
            "POSTGRES_PASSWORD": sink.password.compose,
            "TZ": "UTC",
        },
        "volumes": ["postgresql-data:/var/lib/postgresql/data"],
        "ports": compose.ports(plan, "postgresql", 5432),
        "healthcheck": compose.healthcheck(
            'pg_isready -q -h 127.0.0.1 -U "$$POSTGRES_USER" -d "$$POSTGRES_DB"'
        ),
    }


component = Databases()
