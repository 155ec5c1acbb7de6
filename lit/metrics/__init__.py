"""Figures with their intervals: pure functions of numpy arrays."""

from lit.metrics.calibration import ReliabilityBin as ReliabilityBin
from lit.metrics.calibration import calibration as calibration
from lit.metrics.classification import accuracy as accuracy
from lit.metrics.classification import hits as hits
from lit.metrics.classification import mean_per_class as mean_per_class
from lit.metrics.classification import top_k as top_k
from lit.metrics.confusions import confusion as confusion
from lit.metrics.confusions import worst_confusions as worst_confusions
from lit.metrics.few_shot import FewShot as FewShot
from lit.metrics.few_shot import few_shot as few_shot
from lit.metrics.few_shot import ridge as ridge
from lit.metrics.figure import Figure as Figure
from lit.metrics.neighbours import nearest_neighbours as nearest_neighbours
from lit.metrics.paired import Paired as Paired
from lit.metrics.paired import mcnemar as mcnemar
from lit.metrics.permutations import permutation as permutation
from lit.metrics.permutations import permutation_in_words as permutation_in_words
from lit.metrics.retrieval import retrieval as retrieval
from lit.metrics.retrieval import retrieval_of as retrieval_of
