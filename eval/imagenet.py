"""Zero-shot accuracy on ImageNet's 50,000 validation images: the suite imagenet2012.

Published: LiT-B16B 72.1 %, LiT-B16B_2 73.9 %, LiT-L16L 75.7 %, under the protocol big-vision, which is the suite's.
Source: github.com/google-research/vision_transformer, model_cards/lit.md (B16B: version 1.0 of the card).

What it needs:
  1. ILSVRC2012_img_val.tar (6.7 GB, 6,744,924,160 bytes), for which one registers at image-net.org; tfds does not
     download it. Put it at DATA_DIR/downloads/manual/ILSVRC2012_img_val.tar. Source: tfds, datasets/imagenet2012.
  2. Once, with TensorFlow (tfds 4.9.10 also wants importlib_resources, and does not say so):
       pip install 'lit-jax[tfds]' importlib_resources
       python -c "import tensorflow_datasets as t
       t.builder('imagenet2012', data_dir='DATA_DIR').download_and_prepare()"
     The JPEGs go into it as they are: another 6.7 GB, in DATA_DIR/imagenet2012/5.1.0. With file_format='array_record'
     beside data_dir, evaluation runs without TensorFlow. The training images (148 GB) are for few-shot only.
  3. The weights of the model: `lit models` says which are here, and how to get or give them (--weights).

How long the image tower of LiT-B16B_2 takes for 50,000 images on 2 cores of a Xeon with AMX, from the speeds in
eval/results/speed.json (batches of 8): float32 1 h 48 min, bfloat16 29 min. No other machine was measured. Embeddings
are stored as they come: a killed run goes on where it stopped, and a second one with other prompts reads no image.

Several devices of one machine are used together. Several machines: start the same command on each with --distributed
(Cloud TPU, Slurm), or `lit eval imagenet2012 --coordinator HOST:PORT --processes N --process I` anywhere else.
"""

import argparse
import sys

import lit
from lit.evaluation import parallel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="where tfds keeps prepared datasets; default: where tfds looks by itself")
    parser.add_argument("--model", help="a released model or the folder of a saved one; default: the embedded model")
    parser.add_argument("--weights", help="its .npz, where you have it")
    parser.add_argument("--vocab", help="its vocabulary, where you have it")
    parser.add_argument("-o", "--output", help="save the whole report: FILE.json (`lit eval compare` reads it)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N images")
    parser.add_argument("--skip-bad", action="store_true", help="leave out images that cannot be decoded; name them")
    parser.add_argument("--distributed", action="store_true", help="this is one of several processes")
    args = parser.parse_args()
    if args.distributed:
        parallel.initialize()
    with parallel.together():
        model = lit.load(args.model, weights=args.weights, vocab=args.vocab, precision=args.precision)
        how = {"data_dir": args.data_dir, "limit": args.limit, "skip_bad": args.skip_bad, "progress": True}
        report = lit.evaluate(model, "imagenet2012", **how)
        if parallel.is_first_process():
            if args.output:
                report.save(args.output)
            print(report, *(f"  excluded: {one.id}: {one.reason}" for one in report.excluded), sep="\n")


if __name__ == "__main__":
    try:
        main()
    except lit.LitError as error:
        sys.exit(f"Error: {error}")
