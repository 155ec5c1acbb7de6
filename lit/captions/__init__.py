"""Pictures with captions, as a training run reads them."""

from lit.captions.batches import Batch as Batch
from lit.captions.batches import Batches as Batches
from lit.captions.corpus import Corpus as Corpus
from lit.captions.corpus import open_corpus as open_corpus
from lit.captions.duplicates import Duplicates as Duplicates
from lit.captions.duplicates import duplicates as duplicates
from lit.captions.left_out import LeftOut as LeftOut
from lit.captions.pairs import CachedPairs as CachedPairs
from lit.captions.preparing import Augment as Augment
