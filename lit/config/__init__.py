"""Frozen descriptions of towers, tokenizers, preprocessing and whole models.  No JAX in here.

A configuration is data: it can be compared, hashed, written as JSON (`to_dict`) and read back (`from_dict`), and it
says everything that the parameters do not.
"""

from lit.config.heads import HeadConfig as HeadConfig
from lit.config.heads import JointHeadConfig as JointHeadConfig
from lit.config.heads import ProjectionHeadConfig as ProjectionHeadConfig
from lit.config.heads import PrototypeHeadConfig as PrototypeHeadConfig
from lit.config.image_towers import EfficientNetLiteConfig as EfficientNetLiteConfig
from lit.config.image_towers import ImageTowerConfig as ImageTowerConfig
from lit.config.image_towers import ViTConfig as ViTConfig
from lit.config.inputs import PreprocessConfig as PreprocessConfig
from lit.config.inputs import TokenizerConfig as TokenizerConfig
from lit.config.model import LiTConfig as LiTConfig
from lit.config.plain import from_dict as from_dict
from lit.config.plain import to_dict as to_dict
from lit.config.text_towers import BertConfig as BertConfig
from lit.config.text_towers import TextTowerConfig as TextTowerConfig
from lit.config.text_towers import TextTransformerConfig as TextTransformerConfig
