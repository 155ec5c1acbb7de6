"""Figures with their intervals: pure functions of numpy arrays."""

from lit.metrics.calibration import ReliabilityBin as ReliabilityBin
from lit.metrics.calibration import calibration as calibration
from lit.metrics.classification import accuracy as accuracy
from lit.metrics.classification import hits as hits
from lit.metrics.classification import mean_per_class as mean_per_class
from lit.metrics.classification import top_k as top_k
from lit.metrics.confusions import confusion as confusion
from lit.metrics.figure import Figure as Figure
from lit.metrics.paired import Paired as Paired
from lit.metrics.paired import mcnemar as mcnemar
