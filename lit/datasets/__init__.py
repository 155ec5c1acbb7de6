"""Labelled pictures from where they lie: tfds, folders, manifests, archives.  Only here is TensorFlow imported."""

from lit.datasets.record import Dataset as Dataset
from lit.datasets.record import Example as Example
from lit.datasets.tfds import tfds_dataset as tfds_dataset
