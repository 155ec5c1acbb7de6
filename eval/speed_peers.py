"""The same towers in other libraries, on torch, with random weights."""

import functools
import sys

import numpy as np
import torch


def import_open_clip():
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # A torchvision built for CUDA cannot load its compiled part beside a torch for CPUs.  The towers use nothing
        # of it, but its Python part looks these two operators up.
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import open_clip

    return open_clip


@functools.cache
def open_clip_model(precision):
    return import_open_clip().create_model("ViT-B-16").eval().to(getattr(torch, precision))


@functools.cache
def transformers_model(precision):
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(), add_pooling_layer=False).eval().to(getattr(torch, precision))


def open_clip_images(precision, pixels):
    """A call that embeds the pixels; they are laid out and cast before."""
    model, x = open_clip_model(precision), torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    x = x.to(getattr(torch, precision))
    return inference(lambda: model.encode_image(x, normalize=True))


def transformers_texts(precision, tokens):
    """A call that gives the first token's vector."""
    model, ids = transformers_model(precision), torch.from_numpy(tokens.astype(np.int64))
    mask = (ids != 0).long()
    return inference(lambda: model(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0])


def inference(function):
    def call():
        with torch.inference_mode():
            return function().float().numpy()

    return call
