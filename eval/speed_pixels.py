"""From a JPEG to 224 x 224 pixels: lit against TensorFlow's decode_jpeg + resize, taking turns in one process.

    python eval/speed_pixels.py [--rounds 200] [-o eval/results/speed_pixels.json]

Both make the same pixels; that is checked first.  The first run sets up TensorFlow in `.venvs/speed-pixels`, with the
versions of numpy, Pillow and simplejpeg that are installed here, and everything runs there, on one core.  Ratios are
medians over rounds of paired times, above 1 where lit is faster; processor time is what to trust on a busy machine.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from speed_environment import prepared

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venvs" / "speed-pixels"
OURS = ("numpy", "pillow", "simplejpeg", "jaxtyping")
PHOTO = ROOT / "eval" / "demo" / "photos" / "coffee.jpg"
SIZES = ((500, 375), (4000, 3000))


def environment():
    """An interpreter with TensorFlow, set up once for each list of requirements."""
    wanted = ["tensorflow-cpu==2.21.0", *(f"{name}=={metadata.version(name)}" for name in OURS)]
    return prepared(ENVIRONMENT, wanted)


def photograph(size):
    """A demo photograph enlarged, with a camera's noise, for smooth pixels decode too fast.  JPEG, quality 90."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(PHOTO).convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    pixels += np.random.default_rng(0).normal(0, 2, pixels.shape)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def race(contenders, rounds):
    """(seconds, seconds of processor) of every round; they alternate, and take turns in going first."""
    times = {name: [] for name in contenders}
    for turn in range(rounds):
        for name in list(contenders)[:: 1 if turn % 2 else -1]:
            start, busy = time.perf_counter(), time.process_time()
            contenders[name]()
            times[name].append((time.perf_counter() - start, time.process_time() - busy))
    return times


def compared(times):
    """Median milliseconds of each, and how many times as fast lit is."""
    theirs, ours = (list(zip(*times[name], strict=True)) for name in ("tensorflow", "lit"))
    out = {}
    for what, t, u in zip(("wall", "processor"), theirs, ours, strict=True):
        ratio = statistics.median(a / b for a, b in zip(t, u, strict=True))
        out[what] = {"tensorflow_ms": 1e3 * statistics.median(t), "lit_ms": 1e3 * statistics.median(u), "ratio": ratio}
    return out


def measure(rounds):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from lit.config import PreprocessConfig
    from lit.images import preprocess

    config, results = PreprocessConfig(), {"tensorflow": tf.__version__}
    for size in SIZES:
        data = photograph(size)
        contenders = {
            "tensorflow": lambda data=data: tf.cast(
                tf.image.resize(tf.io.decode_jpeg(data, channels=3), (224, 224)), tf.uint8
            ).numpy(),
            "lit": lambda data=data: preprocess(data, config),
        }
        np.testing.assert_array_equal(contenders["tensorflow"](), contenders["lit"]())
        row = compared(race(contenders, max(9, rounds // (1 if size[0] < 1000 else 8))))
        results["x".join(map(str, size))] = row
        for what, r in row.items():
            times = f"tensorflow {r['tensorflow_ms']:.2f} ms, lit {r['lit_ms']:.2f} ms"
            print(f"{size[0]} x {size[1]}, {what} time: {times}, lit is {r['ratio']:.2f} times as fast")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="of the small photograph; an eighth of the large one")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "eval" / "results" / "speed_pixels.json")
    args = parser.parse_args()
    if Path(sys.prefix).resolve() != ENVIRONMENT:
        arguments = [str(environment()), __file__, *sys.argv[1:]]
        sys.exit(subprocess.run(arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode)
    results = measure(args.rounds)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
