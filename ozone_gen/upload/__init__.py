"""Ships exports to the object store of a central server: checked first, resumed where it broke off."""

from ozone_gen.upload.exports import Export, Part, exports_of, held, verify
from ozone_gen.upload.run import Sent, Store, upload

__all__ = ["Export", "Part", "Sent", "Store", "exports_of", "held", "upload", "verify"]
