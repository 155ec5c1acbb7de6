"""Suites: what is measured, with every choice that moves the figure."""

from lit.suites.suite import Expected as Expected
from lit.suites.suite import Suite as Suite
