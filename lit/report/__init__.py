"""Reports: figures, the seal under them, and pages that people read."""

from lit.report.comparable import Comparability as Comparability
from lit.report.comparable import compare_seals as compare_seals
from lit.report.frames import confusion_frame as confusion_frame
from lit.report.frames import per_class_frame as per_class_frame
from lit.report.frames import predictions_frame as predictions_frame
from lit.report.frames import to_frame as to_frame
from lit.report.gallery import GalleryItem as GalleryItem
from lit.report.gap import GapStep as GapStep
from lit.report.gap import gap_png as gap_png
from lit.report.gap import gap_svg as gap_svg
from lit.report.page import page as page
from lit.report.report import Report as Report
from lit.report.saved import load as load
from lit.report.saved import save as save
from lit.report.seal import Seal as Seal
