"""Suites: what is measured, with every choice that moves the figure; and the guard that keeps labels in order."""

from lit.suites.align import LabelMap as LabelMap
from lit.suites.align import align as align
from lit.suites.labels import label_lists as label_lists
from lit.suites.labels import load_labels as load_labels
from lit.suites.load import load_suite as load_suite
from lit.suites.load import suite_names as suite_names
from lit.suites.suite import Expected as Expected
from lit.suites.suite import Suite as Suite
