"""Parameters in files: the published npz, lit's own bundle, and BERT as transformers saves it.

Flat parameters are a dictionary from '/'-joined names to numpy arrays, as files hold them; nested ones are what the
towers take.
"""

from lit.checkpoints.bert import BertFiles as BertFiles
from lit.checkpoints.bert import bert_params as bert_params
from lit.checkpoints.bert import is_bert_folder as is_bert_folder
from lit.checkpoints.bert import load_bert as load_bert
from lit.checkpoints.load import fit as fit
from lit.checkpoints.names import flatten as flatten
from lit.checkpoints.names import unflatten as unflatten
from lit.checkpoints.npz import load_npz as load_npz
from lit.checkpoints.safetensors import Bundle as Bundle
from lit.checkpoints.safetensors import load_bundle as load_bundle
from lit.checkpoints.safetensors import save_bundle as save_bundle
