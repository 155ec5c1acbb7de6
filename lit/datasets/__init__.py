"""Labelled pictures from where they lie: tfds, folders, manifests, archives.  The only package that imports TensorFlow."""

from lit.datasets.record import Dataset as Dataset
from lit.datasets.record import Example as Example
