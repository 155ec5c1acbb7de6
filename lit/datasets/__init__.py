"""Labelled pictures from where they lie: tfds, folders, manifests, archives.  Only here is TensorFlow imported."""

from lit.datasets.folder import folder_dataset as folder_dataset
from lit.datasets.manifest import manifest_dataset as manifest_dataset
from lit.datasets.open import local_dataset as local_dataset
from lit.datasets.open import open_dataset as open_dataset
from lit.datasets.record import Dataset as Dataset
from lit.datasets.record import Example as Example
from lit.datasets.record import RandomAccess as RandomAccess
from lit.datasets.tfds import Reader as Reader
from lit.datasets.tfds import tfds_dataset as tfds_dataset
from lit.datasets.webdataset import webdataset as webdataset
