# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""stable_text.py TOOL EXAMPLES FOLDER: each stage of some programs twice, from copies in two folders; the bytes have to be the same."""
import os
import shutil
import subprocess
import sys

tool, examples, folder = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
stages = [("tokens", []), ("ast", []), ("typed", []), ("llvm", []), ("llvm-opt", []), ("ptx", []), ("llvm", ["--arch", "host"]), ("asm", ["--arch", "host"])]
for program in ["saxpy", "softmax", "raytracer"]:
    for stage, options in stages:
        texts = []
        for place in ["a", "somewhere/deep/below"]:
            where = os.path.join(folder, place)
            os.makedirs(where, exist_ok=True)
            shutil.copy(os.path.join(examples, program + ".rad"), where)
            # Addresses differ between processes, and the size of the environment moves them, too.
            environment = dict(os.environ, PADDING="x" * (1000 * len(place)), RADDLE_CACHE_DIR=os.path.join(where, "cache"))
            done = subprocess.run([tool, "build", program + ".rad", "--emit=" + stage, *options, "-o", "-"], cwd=where, env=environment, stdout=subprocess.PIPE)
            assert done.returncode == 0, (program, stage)
            assert len(done.stdout) > 100, (program, stage)
            texts.append(done.stdout)
        assert texts[0] == texts[1], (program, stage, options)
