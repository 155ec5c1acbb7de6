"""Reports: figures, the seal under them, and pages that people read."""

from lit.report.report import Report as Report
from lit.report.seal import Seal as Seal
