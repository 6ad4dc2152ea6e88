"""Superset itself, in this process: its tables, its administrator, and the assets that it holds.

Written for Superset 6; all that is taken from inside of it stands in this module.
"""

import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from .superset_assets import KINDS, Asset, Record, digest
from .waiting import Problem, RefusedError

_RECORDS = "ozone_gen_asset"
"""A table beside Superset's own that remembers what was brought in."""

_FILTERS = ("native_filter_configuration", "refresh_frequency", "color_scheme", "cross_filters_enabled", "label_colors")
"""Of a dashboard's settings those that a person chooses; the rest is written by browsers that look at it."""


class Superset:
    """Superset's application. Made inside of `application()`, which takes some seconds."""

    def __init__(self) -> None:
        from superset import appbuilder, db, security_manager

        self._appbuilder, self._db, self._security = appbuilder, db, security_manager

    def set_up_roles(self) -> None:
        """What `superset init` does: permissions, and the roles that have them."""
        self._appbuilder.add_permissions(update_perms=True)
        self._security.sync_role_definitions()

    def administrator(self, username: str, password: str) -> str:
        """Make the administrator or give it this password; what was done, in words, or "" where nothing was."""
        from werkzeug.security import check_password_hash

        role = self._security.find_role("Admin")
        user = self._security.find_user(username=username)
        if user is None:
            made = self._security.add_user(
                username, "Site", "Administrator", f"{username}@localhost.invalid", role, password=password
            )
            if not made:
                raise RefusedError(Problem(f"Superset does not make the administrator {username!r}."))
            return f"Made the administrator {username}"
        done = []
        if not check_password_hash(user.password or "", password):
            self._security.reset_password(user.id, password)
            done.append("gave it the password of the environment")
        if role not in user.roles or not user.active:
            user.roles = [*user.roles, role] if role not in user.roles else user.roles
            user.active = True
            self._security.update_user(user)
            done.append("made it an administrator that may log in")
        return f"Found the administrator {username}, and {' and '.join(done)}" if done else ""

    @contextmanager
    def acting_as(self, username: str) -> Iterator[None]:
        """What is brought in belongs to this user."""
        from superset.utils.core import override_user

        with override_user(self._security.find_user(username=username)):
            yield

    # --- what is remembered

    def records(self) -> dict[str, Record]:
        """What is remembered of earlier imports, by uuid."""
        session = self._db.session
        session.execute(
            f"CREATE TABLE IF NOT EXISTS {_RECORDS} (uuid text PRIMARY KEY, kind text NOT NULL, name text NOT NULL,"
            " bundle text NOT NULL, made text NOT NULL, parts text NOT NULL)"
        )
        rows = session.execute(f"SELECT uuid, kind, name, bundle, made, parts FROM {_RECORDS}").fetchall()
        session.commit()
        return {
            uuid: Record(kind, name, bundle, made, tuple(json.loads(parts)))
            for uuid, kind, name, bundle, made, parts in rows
        }

    def remember(self, records: Mapping[str, Record], forgotten: Iterable[str] = ()) -> None:
        """Keep records, and drop those that are forgotten."""
        session = self._db.session
        for uuid in [*records, *forgotten]:
            session.execute(f"DELETE FROM {_RECORDS} WHERE uuid = :uuid", {"uuid": uuid})
        for uuid, record in records.items():
            values = {**vars(record), "uuid": uuid, "parts": json.dumps(record.parts)}
            session.execute(
                f"INSERT INTO {_RECORDS} VALUES (:uuid, :kind, :name, :bundle, :made, :parts)", values
            )
        session.commit()

    # --- what there is

    def present(self, kind: str, uuid: str) -> str | None:
        """The digest of what people can change of an asset; None where Superset does not have it."""
        found = self._find(kind, uuid)
        return None if found is None else digest(_CONTENT[kind](found))

    def password(self, uuid: str) -> str | None:
        """The password of a database. Raises RefusedError where the secret key cannot read it."""
        found = self._find("databases", uuid)
        return None if found is None else found.password

    def own_parts(self, uuid: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The columns and metrics of a dataset, in the form of the bundle."""
        found = self._find("datasets", uuid)
        if found is None:
            return [], []
        columns, metrics = (
            [{name: getattr(part, name) for name in names} for part in parts]
            for parts, names in ((found.columns, _COLUMN), (found.metrics, _METRIC))
        )
        return columns, metrics

    def charts_of(self, uuid: str) -> list[str]:
        """The names of the charts that stand on a dataset."""
        from superset.models.slice import Slice

        found = self._find("datasets", uuid)
        if found is None:
            return []
        charts = self._db.session.query(Slice).filter_by(datasource_id=found.id, datasource_type="table")
        return [chart.slice_name for chart in charts]

    def _find(self, kind: str, uuid: str) -> Any:
        return self._db.session.query(_model(kind)).filter_by(uuid=uuid).one_or_none()

    # --- what is changed

    def bring_in(self, assets: Sequence[Asset], passwords: Mapping[str, str]) -> None:
        """Import assets over what there is, all or none. Raises RefusedError.

        Args:
            assets: what they stand on is among them, or is there already.
            passwords: of databases, by the path of their files.
        """
        from superset.commands.exceptions import CommandException, CommandInvalidError
        from superset.commands.importers.v1.assets import ImportAssetsCommand

        metadata = {"version": "1.0.0", "type": "assets", "timestamp": "2000-01-01T00:00:00+00:00"}
        contents = {"metadata.yaml": yaml.safe_dump(metadata)}
        contents |= {asset.path: yaml.safe_dump(dict(asset.config), sort_keys=False) for asset in assets}
        try:
            ImportAssetsCommand(contents, passwords=dict(passwords), sparse=True).run()
        except CommandInvalidError as error:
            problems = [
                Problem(f"Superset refuses {path}: {json.dumps(said, default=str)}.", "Report this fault.")
                for path, said in error.normalized_messages().items()
            ]
            raise RefusedError(*problems) from None
        except CommandException as error:
            cause = error.__cause__ or error.__context__ or error
            raise RefusedError(
                Problem(f"Superset does not take the assets: {_first_line(cause)}.", "Nothing was changed.")
            ) from None

    def give_uuid(self, kind: str, former: str, uuid: str) -> None:
        """Let Superset know an asset that is there by another uuid."""
        self._find(kind, former).uuid = uuid
        self._db.session.commit()

    def remove(self, kind: str, uuid: str) -> None:
        """Remove an asset, if it is there."""
        found = self._find(kind, uuid)
        if found is not None:
            self._db.session.delete(found)
            self._db.session.commit()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


_COLUMN = (
    *("column_name", "verbose_name", "type", "is_dttm", "is_active", "groupby", "filterable", "expression"),
    *("description", "python_date_format"),
)
_METRIC = ("metric_name", "verbose_name", "metric_type", "expression", "description", "d3format", "warning_text")


def _chart(found: Any) -> list[Any]:
    params = json.loads(found.params or "{}")
    # Written by whoever looks at a chart in the editor.
    for name in ("datasource", "slice_id", "dashboards"):
        params.pop(name, None)
    return [found.slice_name, found.viz_type, found.description, found.cache_timeout, found.datasource_id, params]


def _dashboard(found: Any) -> list[Any]:
    settings = json.loads(found.json_metadata or "{}")
    chosen = {name: settings.get(name) for name in _FILTERS}
    position = json.loads(found.position_json or "{}")
    return [found.dashboard_title, found.description, found.slug, found.css, found.published, position, chosen]


_CONTENT: Mapping[str, Callable[[Any], object]] = {
    "databases": lambda found: [found.database_name, str(found.sqlalchemy_uri)],
    "datasets": lambda found: [found.table_name, found.schema],
    "charts": _chart,
    "dashboards": _dashboard,
}


def _model(kind: str) -> Any:
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    return dict(zip(KINDS, (Database, SqlaTable, Slice, Dashboard), strict=True))[kind]


def migrations() -> str:
    """A hash of the migrations that this Superset has; looked up without starting it."""
    found = importlib.util.find_spec("superset")
    assert found is not None
    assert found.submodule_search_locations
    (package,) = found.submodule_search_locations
    return digest(sorted(path.name for path in Path(package, "migrations", "versions").glob("*.py")))


def upgrade() -> None:
    """Bring Superset's tables to its version. Raises RefusedError.

    In a process of its own, and before the application is made: migrations set up logging anew, and change what
    the application reads as it starts.
    """
    done = subprocess.run(["superset", "db", "upgrade"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-20:])
        raise RefusedError(Problem(f"`superset db upgrade` failed with exit code {done.returncode}:\n{said}\n"))


@contextmanager
def application() -> Iterator[Superset]:
    """Superset's application as the current one."""
    from superset.app import create_app

    with create_app().app_context():
        yield Superset()
