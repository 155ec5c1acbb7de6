"""Records what independent implementations make of the shipped weights: tests/golden/data/embedded_towers.npz.

Needs an environment of its own with torch, transformers, efficientnet_lite_pytorch, safetensors and pillow, and then

    python eval/embedded/oracle.py

The towers are the PyTorch modules that the weights were trained for, run in float64; the heads are their formula.  From
lit come only the weights, lit/embedded/model.safetensors.
"""

import json
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.numpy import load_file
from transformers import BertConfig, BertModel, BertTokenizer

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "lit" / "embedded"
TEXTS = ("a photo of a cat.", "airplane", "Two dogs, one of them brown, run across a wet field in the rain.")
LAYER = {
    "attention.self.query": "attention_block/attention_layer/query",
    "attention.self.key": "attention_block/attention_layer/key",
    "attention.self.value": "attention_block/attention_layer/value",
    "attention.output.dense": "attention_block/dense_layer",
    "attention.output.LayerNorm": "attention_block/layer_norm",
    "intermediate.dense": "mlp_block/mlp/dense_layer",
    "output.dense": "mlp_block/dense_layer",
    "output.LayerNorm": "mlp_block/layer_norm",
}


unit = torch.nn.functional.normalize


def weights() -> dict[str, torch.Tensor]:
    """Every parameter in float64; 8-bit ones times their scales."""
    stored = {k: torch.from_numpy(v.astype(np.float64)) for k, v in load_file(BUNDLE / "model.safetensors").items()}
    names = [name for name in stored if not name.endswith(":scale")]
    return {name: stored[name] * stored.get(f"{name}:scale", 1.0) for name in names}


def image_tower(params: dict[str, torch.Tensor]) -> EfficientNet:
    """EfficientNet-Lite0 whose batch norms do nothing but add the folded bias."""
    model = EfficientNet.from_name("efficientnet-lite0").double().eval()
    pairs = {"stem": (model._conv_stem, model._bn0), "top": (model._conv_head, model._bn1)}
    for i, block in enumerate(model._blocks):
        if i:
            pairs[f"block{i:02d}/expand"] = (block._expand_conv, block._bn0)
        pairs[f"block{i:02d}/depthwise"] = (block._depthwise_conv, block._bn1)
        pairs[f"block{i:02d}/project"] = (block._project_conv, block._bn2)
    for name, (conv, norm) in pairs.items():
        conv.weight.data = params[f"img/{name}/kernel"].permute(3, 2, 0, 1)
        norm.weight.data = (norm.running_var + norm.eps).sqrt()
        norm.bias.data = params[f"img/{name}/bias"] + norm.running_mean
    model._fc.weight.data, model._fc.bias.data = (
        params["img_head/first/kernel"].T,
        params["img_head/first/bias"],
    )
    return model


def dense(x: torch.Tensor, params: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """A matrix and a bias."""
    return x @ params[f"{name}/kernel"] + params[f"{name}/bias"]


def beside(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Two heads' unit vectors, weighted by the share of the second in a cosine."""
    share = json.loads((BUNDLE / "config.json").read_text())["image_head"]["share"]
    return torch.cat([(1 - share) ** 0.5 * first, share**0.5 * unit(second)], 1)


def image_stages(model: EfficientNet, params: dict[str, torch.Tensor], pixels: np.ndarray) -> dict[str, torch.Tensor]:
    """The output of every stage, NHWC."""
    x = (torch.from_numpy(pixels).double().permute(0, 3, 1, 2) - 127) / 128
    x = model._swish(model._bn0(model._conv_stem(x)))
    stages = {"stem": x}
    for i, block in enumerate(model._blocks):
        x = stages[f"block{i:02d}"] = block(x)
    x = stages["top"] = model._swish(model._bn1(model._conv_head(x)))
    features = x.mean((2, 3))
    first, second = torch.softmax(model._fc(features), 1).sqrt(), dense(features, params, "img_head/second/Dense_0")
    return {name: x.permute(0, 2, 3, 1) for name, x in stages.items()} | {
        "pre_logits": features,
        "zimg": beside(first, second),
    }


def text_tower(params: dict[str, torch.Tensor]) -> BertModel:
    """MiniLM without a pooler."""
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
    )
    encoder = "txt/BertEncoder_0"
    state = {}
    for theirs, ours in {"word": "token", "position": "position", "token_type": "segment"}.items():
        table = params[f"{encoder}/embedder/embedders_{ours}_ids/embedding"]
        state[f"embeddings.{theirs}_embeddings.weight"] = table
    modules = {"embeddings.LayerNorm": f"{encoder}/layer_norm"}
    for i in range(config.num_hidden_layers):
        layer = f"{encoder}/encoder_block/layer_sequence/layers_{i}"
        modules |= {f"encoder.layer.{i}.{theirs}": f"{layer}/{ours}" for theirs, ours in LAYER.items()}
    for theirs, ours in modules.items():
        norm = f"{ours}/scale" in params
        state[f"{theirs}.weight"] = params[f"{ours}/scale"] if norm else params[f"{ours}/kernel"].T
        state[f"{theirs}.bias"] = params[f"{ours}/bias"]
    model = BertModel(config, add_pooling_layer=False).double().eval()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected, unexpected
    assert set(missing) <= {"embeddings.position_ids"}, missing
    return model


def text_stages(model: BertModel, ids: torch.Tensor, params: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Mean over tokens, then both heads."""
    mask = (ids != 0).double()
    tokens = model(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    centred = unit(unit(mean) - params["txt_head/first/mean"])
    temperature = json.loads((BUNDLE / "config.json").read_text())["text_head"]["first"]["temperature"]
    first = torch.softmax(centred @ params["txt_head/first/kernel"] / temperature, 1).sqrt()
    return {"text": mean, "ztxt": beside(first, dense(mean, params, "txt_head/second/Dense_0"))}


@torch.no_grad()
def main() -> None:
    params = weights()
    photo = Image.open(ROOT / "eval" / "demo" / "photos" / "cat.jpg").resize((224, 224), Image.Resampling.BICUBIC)
    pixels = np.asarray(photo)[None].copy()
    ids = BertTokenizer(str(BUNDLE / "vocab.txt"))(list(TEXTS), padding=True, return_tensors="pt")["input_ids"]
    stages = image_stages(image_tower(params), params, pixels) | text_stages(text_tower(params), ids, params)
    # Of the picture-shaped stages every 131st number is enough, and small; 131 divides none of their sides.
    thin = {name: (x.flatten()[::131] if x.ndim == 4 else x).numpy().astype(np.float32) for name, x in stages.items()}
    out = ROOT / "tests" / "golden" / "data" / "embedded_towers.npz"
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, pixels=pixels, texts=np.asarray(TEXTS), ids=ids.numpy().astype(np.int32), **thin)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
