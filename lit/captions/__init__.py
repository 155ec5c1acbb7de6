"""Pictures with captions, as a training run reads them."""
