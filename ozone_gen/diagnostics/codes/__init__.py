"""The registry of codes: every kind of finding is one class, whose docstring `ozone-gen explain CODE` prints.

To add one, write a class in the module of its hundred. Its id is new (never that of a code that once was),
its name says the problem, and its docstring says what, why and how to mend it. Then add its case to
tests/invalid/.

OZ0xx the file, OZ1xx the shape of a value, OZ2xx references, OZ3xx conflicts, OZ4xx output, OZ9xx our fault.
"""

from ozone_gen.diagnostics.codes.base import Code, all_codes, explain, find
from ozone_gen.diagnostics.codes.conflicts import DuplicateName, PortConflict
from ozone_gen.diagnostics.codes.file import (
    DuplicateKey,
    FileTooComplex,
    KeyNotText,
    MergeKey,
    NotAMapping,
    NotUtf8,
    NumberOutOfRange,
    SeveralDocuments,
    UnreadableFile,
    UnsupportedTag,
    YamlSyntax,
)
from ozone_gen.diagnostics.codes.internal import InternalError
from ozone_gen.diagnostics.codes.output import (
    BrokenManifest,
    CannotWrite,
    EditedFile,
    FolderInUse,
    ForeignFile,
    OutsideFolder,
)
from ozone_gen.diagnostics.codes.references import UnknownReference
from ozone_gen.diagnostics.codes.shape import (
    BadConceptReference,
    BadName,
    BadVariableReference,
    LiteralPassword,
    MissingKey,
    UnknownKey,
    UnsupportedVersion,
    ValueNotAllowed,
    WrongType,
)

__all__ = [
    "BadConceptReference",
    "BadName",
    "BadVariableReference",
    "BrokenManifest",
    "CannotWrite",
    "Code",
    "DuplicateKey",
    "DuplicateName",
    "EditedFile",
    "FileTooComplex",
    "FolderInUse",
    "ForeignFile",
    "InternalError",
    "KeyNotText",
    "LiteralPassword",
    "MergeKey",
    "MissingKey",
    "NotAMapping",
    "NotUtf8",
    "NumberOutOfRange",
    "OutsideFolder",
    "PortConflict",
    "SeveralDocuments",
    "UnknownKey",
    "UnknownReference",
    "UnreadableFile",
    "UnsupportedTag",
    "UnsupportedVersion",
    "ValueNotAllowed",
    "WrongType",
    "YamlSyntax",
    "all_codes",
    "explain",
    "find",
]
