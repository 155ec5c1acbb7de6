"""The environments of what lit is compared with."""

import json
import subprocess
import sys


def prepared(environment, requirements):
    """The interpreter of an environment, set up once for each list of requirements."""
    python, stamp = environment / "bin" / "python", environment / "requirements.json"
    if not stamp.is_file() or json.loads(stamp.read_text()) != requirements:
        print(f"setting up {environment} (once) ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *requirements], check=True)
        stamp.write_text(json.dumps(requirements))
    return python
