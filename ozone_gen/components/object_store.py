"""The store of the sites' exports on a central server: one that it runs itself, or an existing S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution, Options
from ozone_gen.plan import SitePlan, Variable
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.values import BUCKET_PATTERN, REGION_PATTERN, URL_PATTERN, Optional

SERVICE: Final = "object-store"
PORT: Final = 9000

KEYS: Final = {
    "ROOT": "may do everything in the object store",
    "READ": "may read the object store; Drill has it",
    "WRITE": "may add files to the object store; the sites have it",
}
"""The three keys, by what stands for them in the names of their variables."""


class ObjectStoreOptions(Options):
    """Object store of the exports."""

    type: Literal["seaweedfs", "minio", "s3"] = Field(
        default="seaweedfs", description="A SeaweedFS or MinIO that the server runs itself, or an existing S3."
    )
    bucket: Annotated[str, Field(pattern=BUCKET_PATTERN)] = Field(
        default="openmrs-data", description="The bucket of the exports; it is made where it is not there."
    )
    endpoint: Optional[Annotated[str, Field(pattern=URL_PATTERN)]] = Field(
        default=None, description="Address of an existing S3, such as https://s3.example.org. Left out: Amazon's."
    )
    region: Annotated[str, Field(pattern=REGION_PATTERN)] = Field(
        default="us-east-1", description="Region of the bucket."
    )


@dataclass(frozen=True)
class Store:
    """The store as the parts of a central server reach it."""

    type: str
    bucket: str
    url: str
    region: str

    @property
    def bundled(self) -> bool:
        """Whether the server runs it itself."""
        return self.type != "s3"

    def environment(self, *keys: str) -> dict[str, str]:
        """What tells a service where the store is, with these of its keys."""
        found = {
            "OBJECT_STORE_TYPE": self.type,
            "OBJECT_STORE_URL": self.url,
            "OBJECT_STORE_REGION": self.region,
            "OBJECT_STORE_BUCKET": self.bucket,
        }
        for key in keys:
            found[f"OBJECT_STORE_{key}_KEY"] = self.key(key)
            found[f"OBJECT_STORE_{key}_SECRET"] = self.secret(key)
        return found

    def key(self, key: str) -> str:
        """The name of a key as Compose interpolates it; the names of a bundled store's keys are usual ones."""
        name = f"OBJECT_STORE_{key}_KEY"
        usual = f":-ozone-{key.lower()}" if self.bundled else f":?key that {KEYS[key]}"
        return f"${{{name}{usual}}}"

    def secret(self, key: str) -> str:
        """The secret of a key as Compose interpolates it."""
        return f"${{OBJECT_STORE_{key}_SECRET:?secret of the key that {KEYS[key]}}}"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the server reads from its environment for the store."""
        found = []
        for key, what in KEYS.items():
            name = f"OBJECT_STORE_{key}_KEY"
            if self.bundled:
                words = f"overrides the name of the key that {what}"
                found.append(Variable(name, words, False, None, f"ozone-{key.lower()}"))
            elif key != "WRITE":
                found.append(Variable(name, f"key that {what}"))
            if self.bundled or key != "WRITE":
                found.append(Variable(f"OBJECT_STORE_{key}_SECRET", f"secret of the key that {what}, 8 to 40 long"))
        return tuple(found)


def store_of(plan: SitePlan) -> Store | None:
    """The store of a server that has one."""
    options = plan.components.get("object_store")
    if not isinstance(options, ObjectStoreOptions):
        return None
    url = f"http://{SERVICE}:{PORT}"
    if options.type == "s3":
        url = options.endpoint or f"https://s3.{options.region}.amazonaws.com"
    return Store(options.type, options.bucket, url, options.region)


class ObjectStore:
    """The services `object-store` and `object-store-setup`."""

    name = "object_store"
    options = ObjectStoreOptions

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the store where the server runs it itself, and the step that makes the bucket."""
        store = store_of(plan)
        if store is None:
            return Contribution()
        services: dict[str, Any] = {}
        if store.type == "seaweedfs":
            services[SERVICE] = _seaweedfs(plan, store)
        elif store.type == "minio":
            services[SERVICE] = _minio(plan, store)
        services["object-store-setup"] = {
            **compose.setup_step(plan, "object-store-setup", "object_store_setup"),
            "environment": store.environment(*(KEYS if store.bundled else ("ROOT",))),
            "depends_on": {SERVICE: compose.HEALTHY} if store.bundled else {},
        }
        addresses = [Address("Object store, the S3 interface", "object_store")] if store.bundled else []
        if store.type == "minio":
            addresses.append(Address("MinIO's console", "object_store_console"))
        return Contribution(
            services={ComposeFile.OBJECT_STORE: services},
            volumes={ComposeFile.OBJECT_STORE: ("object-store-data",)} if store.bundled else {},
            files=_files(store),
            variables=store.variables,
            addresses=tuple(addresses),
            notes=(render_text("object-store/notes.md.j2", store=store).decode(),),
        )


def _files(store: Store) -> tuple[File, ...]:
    if store.type != "seaweedfs":
        return ()
    return (File("object-store/start.sh", render_text("object-store/start.sh.j2", store=store, port=PORT)),)


def _seaweedfs(plan: SitePlan, store: Store) -> dict[str, Any]:
    memory = plan.memory[SERVICE]
    return {
        **compose.running(plan, SERVICE, image="seaweedfs"),
        "entrypoint": ["sh", "/etc/ozone/start.sh"],
        "environment": {**store.environment(*KEYS), "GOMEMLIMIT": f"{memory * 3 // 4}MiB", "TZ": "UTC"},
        "volumes": ["object-store-data:/data", "./object-store/start.sh:/etc/ozone/start.sh:ro"],
        "ports": compose.ports(plan, "object_store", PORT),
        "healthcheck": compose.healthcheck(
            f"curl -sf -o /dev/null http://127.0.0.1:{PORT}/healthz"
            f" || wget -q -O /dev/null http://127.0.0.1:{PORT}/healthz"
        ),
    }


def _minio(plan: SitePlan, store: Store) -> dict[str, Any]:
    memory = plan.memory[SERVICE]
    return {
        **compose.running(plan, SERVICE, image="minio"),
        "command": ["server", "/data", "--address", f":{PORT}", "--console-address", ":9001"],
        "environment": {
            "MINIO_ROOT_USER": store.key("ROOT"),
            "MINIO_ROOT_PASSWORD": store.secret("ROOT"),
            "MINIO_REGION": store.region,
            "GOMEMLIMIT": f"{memory * 3 // 4}MiB",
            "TZ": "UTC",
        },
        "volumes": ["object-store-data:/data"],
        "ports": [
            *compose.ports(plan, "object_store", PORT),
            *compose.ports(plan, "object_store_console", 9001),
        ],
        "healthcheck": compose.healthcheck(
            f"curl -sf -o /dev/null http://127.0.0.1:{PORT}/minio/health/live || mc ready local"
        ),
    }


component = ObjectStore()
