"""Runs a suite: a dataset through the towers, classes into words, figures into a report."""

from lit.evaluation.gap import explain_gap as explain_gap
from lit.evaluation.outcome import Options as Options
from lit.evaluation.outcome import Outcome as Outcome
from lit.evaluation.plan import Plan as Plan
from lit.evaluation.plan import plan as plan
from lit.evaluation.run import evaluate as evaluate
from lit.evaluation.run import run as run
