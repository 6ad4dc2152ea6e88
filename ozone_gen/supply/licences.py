"""Licences of what a site runs, as SPDX expressions, where we looked them up.

Those of images are of the program that the image is for; beside it an image holds a distribution with many licences.
"""

from __future__ import annotations

from typing import Final

from ozone_gen.supply.packages import Kind, Package
from ozone_gen.supply.reference import Reference

_APACHE: Final = "Apache-2.0"

OWN: Final = "MPL-2.0"
"""That of ozone-gen."""

_IMAGES: Final = {
    "library/mariadb": "GPL-2.0-only",
    "library/mysql": "GPL-2.0-only",
    "library/postgres": "PostgreSQL",
    "library/zookeeper": _APACHE,
    "apache/kafka": _APACHE,
    "debezium/connect": _APACHE,
    "redpandadata/console": "BUSL-1.1",
    "library/flink": _APACHE,
    "apache/superset": _APACHE,
    # From 7.4 on, which the tag 7 means.
    "library/redis": "LicenseRef-RSALv2 OR SSPL-1.0",
    "chrislusf/seaweedfs": _APACHE,
    "minio/minio": "AGPL-3.0-or-later",
    "apache/drill": _APACHE,
    "library/maven": _APACHE,
    "library/python": "PSF-2.0",
}

_PYTHON: Final = {
    "argon2-cffi": "MIT",
    "argon2-cffi-bindings": "MIT",
    "certifi": "MPL-2.0",
    "cffi": "MIT-0",
    "cryptography": "Apache-2.0 OR BSD-3-Clause",
    "ijson": "BSD-3-Clause",
    "kafka-python": _APACHE,
    "minio": _APACHE,
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    # With an exception for OpenSSL that SPDX does not know by a name.
    "psycopg2-binary": "LicenseRef-LGPL-3.0-or-later-with-OpenSSL-exception",
    "pyarrow": _APACHE,
    "pycparser": "BSD-3-Clause",
    "pycryptodome": "BSD-2-Clause AND Unlicense AND MIT",
    "pymysql": "MIT",
    "ruamel.yaml": "MIT",
    "sqlalchemy-drill": "MIT",
    "typing-extensions": "PSF-2.0",
    "urllib3": "MIT",
}

_MAVEN: Final = {
    "com.github.luben": "BSD-2-Clause",
    "commons-logging": _APACHE,
    "org.apache.flink": _APACHE,
    "org.apache.hadoop": _APACHE,
    "org.apache.maven.plugins": _APACHE,
    "org.postgresql": "BSD-2-Clause",
}
"""By group."""


def licence_of_image(image: Reference) -> str:
    """The licence of what an image is for; empty where we do not know it. A mirror's is that of what it mirrors."""
    found = _IMAGES.get(image.repository)
    if found is None:
        endings = [name for name in _IMAGES if image.repository.endswith(f"/{name}")]
        found = _IMAGES[endings[0]] if endings else ""
    return found


def licence_of_package(package: Package) -> str:
    """The licence of a package; empty where we do not know it."""
    if package.kind is Kind.MAVEN:
        return _MAVEN.get(package.group, "")
    return _PYTHON.get(package.name, "") if package.kind is Kind.PYPI else ""
