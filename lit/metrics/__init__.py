"""Figures with their intervals: pure functions of numpy arrays."""

from lit.metrics.figure import Figure as Figure
