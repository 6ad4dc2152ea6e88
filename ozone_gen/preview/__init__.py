"""The embedded way: flatten a dump or demo data with the site's own SQL, on Flink's in-process mini cluster.

No server and no container: files of events in, Parquet files and tables on the terminal out.
"""

from ozone_gen.preview.findings import findings
from ozone_gen.preview.job import job_files
from ozone_gen.preview.profiling import profiles_of
from ozone_gen.preview.report import Report, report_html
from ozone_gen.preview.run import Counting, Preview, Stage, Stages, run_preview
from ozone_gen.preview.suppression import FEW
from ozone_gen.preview.terminal import ProgressStages, show_preview

__all__ = [
    "FEW",
    "Counting",
    "Preview",
    "ProgressStages",
    "Report",
    "Stage",
    "Stages",
    "findings",
    "job_files",
    "profiles_of",
    "report_html",
    "run_preview",
    "show_preview",
]
