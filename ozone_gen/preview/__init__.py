"""The embedded way: flatten a dump or demo data with the site's own SQL, on Flink's in-process mini cluster.

No server and no container: files of events in, Parquet files and tables on the terminal out.
"""

from ozone_gen.preview.job import job_files
from ozone_gen.preview.run import Preview, Stage, Stages, run_preview
from ozone_gen.preview.terminal import ProgressStages, show_preview

__all__ = ["Preview", "ProgressStages", "Stage", "Stages", "job_files", "run_preview", "show_preview"]
