# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: check_opening.py FOLDER DRIVER RADDLE SCALE.RAD: what happens while the fake driver DRIVER makes a context, and if it cannot."""
import json
import os
import shlex
import subprocess
import sys
import time

folder, driver, raddle, scale = sys.argv[1], sys.argv[2], shlex.split(sys.argv[3]), sys.argv[4]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)


def run(fake, *arguments, program=None):
    """Runs SCALE.RAD, or the text of a program, on the fake GPU."""
    path = scale
    if program is not None:
        path = "program.rad"
        with open(path, "w") as file:
            file.write(program)
    environment = dict(os.environ, RADDLE_CUDA_DRIVER=driver, CUDA_FAKE=fake)
    start = time.time()
    done = subprocess.run(raddle + ["run", path, "--no-cache"] + list(arguments), capture_output=True, text=True, env=environment)
    done.seconds = time.time() - start
    return done


def times(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


CUDA = ["--device", "cuda:0"]
SLOW = "latency=cuDevicePrimaryCtxRetain:1500ms"

# What is compiled is ready when the context is: the wait is shorter by what compiling took.
found = times(run(SLOW, *CUDA, "--time=json"))
compiling = sum(found[stage] for stage in ("lower", "optimize", "emit-ptx", "assemble", "host-jit"))
assert found["device"] >= 1500, found
assert found["device"] - found["device-wait"] >= 0.8 * min(compiling, found["device"]), found
assert found["first-result"] >= found["device"], found

# Arrays as they are made were the right guess: each kernel is compiled once. A view that begins elsewhere takes another variant.
text = run(SLOW, *CUDA, "--time").stderr
assert [line.split()[3] for line in text.splitlines() if line.startswith("assemble")] == ["1x"], text
assert "opened beside the stages" in text and "from the start of the process" in text, text
shifted = open(scale).read().replace("scale(2.0, x, 0)", "scale(2.0, x[1..], 0)")
text = run(SLOW, *CUDA, "--time", program=shifted).stderr
assert [line.split()[3] for line in text.splitlines() if line.startswith("assemble")] == ["2x"], text

# A program that is wrong does not wait for a GPU, nor ask for one.
wrong = run("latency=cuInit:60000ms;journal=wrong.journal", *CUDA, program="let x = unknown\n")
assert wrong.returncode == 1 and "error[R0200]" in wrong.stderr and wrong.seconds < 30, (wrong.stderr, wrong.seconds)
assert not os.path.exists("wrong.journal") or "cuInit" not in open("wrong.journal").read()

# Failures of each step, while or after kernels are compiled: told before the program has printed anything, and nothing hangs.
said = 'print("before")\n' + open(scale).read()
for fake in ("fail=cuInit@1:999", "fail=cuDeviceGet@1:101", "fail=cuDevicePrimaryCtxRetain@1:2",
             "latency=cuDevicePrimaryCtxRetain:300ms;fail=cuStreamCreateWithPriority@1:2", "fail=cuMemHostAlloc@1:2"):
    failed = run(fake, *CUDA, program=said)
    call = fake.split("fail=")[1].split("@")[0]
    assert failed.returncode == 3 and failed.stdout == "" and call in failed.stderr, (fake, failed.stdout, failed.stderr)
# A GPU that nobody asked for is passed over with a word, also where kernels were compiled for it.
other = run("latency=cuDevicePrimaryCtxRetain:300ms;fail=cuDevicePrimaryCtxRetain@1:2", program=said)
assert other.returncode == 0 and other.stdout == "before\nx[3] = 0.0\n" and "running on the host" in other.stderr, (other.stdout, other.stderr)
# A program that ends in an error of its own, and one that launches nothing, wait for the device too, and leave it to the system.
for program, status in (("assert(1 > 2)\n", 1), ('print("nothing")\n', 0)):
    done = run("latency=cuDevicePrimaryCtxRetain:300ms;journal=end.journal", *CUDA, program=program)
    assert done.returncode == status, (program, done.returncode, done.stderr)
    journal = open("end.journal").read()
    assert "cuStreamCreateWithPriority" in journal and "cuDevicePrimaryCtxRelease" not in journal, journal
    os.remove("end.journal")
