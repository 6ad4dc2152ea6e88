"""OZ44x: an export cannot be uploaded. They are of the output's hundred: nothing is wrong with any ozone.yaml."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class NoExport(Code):
    """A folder holds no complete export.

    An export ends with its manifest, below `_exports`; without one there is nothing that could be trusted. Name
    the folder `parquet` of a rendered site, and run `parquet-export` until its exit code is 0.
    """

    id = "OZ441"


class DamagedExport(Code):
    """A file of an export is missing, or its content is not what the site exported.

    Every file is compared with the hash in the export's manifest before anything is sent. Copy the folder
    again, or export again. What is in the store stays as it is, and goes on being shown.
    """

    id = "OZ442"


class StoreUnreachable(Code):
    """The object store does not answer, or does not take what it is sent.

    A broken line is tried again for about a minute. After that the same command goes on where this one
    stopped: files that have arrived are not sent again. Where access is denied, look at the key
    (`OBJECT_STORE_WRITE_KEY`, `OBJECT_STORE_WRITE_SECRET`), the bucket and the address.
    """

    id = "OZ443"


class UploadClientMissing(Code):
    """The client of the object store is not installed.

    It is an extra, since only an upload needs it: `pip install 'ozone-gen[upload]'` in the same environment.
    """

    id = "OZ444"
