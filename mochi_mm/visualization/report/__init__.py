"""One self-contained page that puts several runs side by side."""

from mochi_mm.runs.run import Run, read_run, read_runs
from mochi_mm.visualization.report.write_report import write_report

__all__ = ['Run', 'read_run', 'read_runs', 'write_report']
