# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Options that do not go together are refused, status 2, with these words; nothing else happens."""
import os
import subprocess
import sys

tool, inputs, folder = sys.argv[1:]
program = os.path.join(inputs, "fails.rad")
os.makedirs(folder, exist_ok=True)
blocks = os.path.join(folder, "blocks.rad")
with open(blocks, "w") as file:
    file.write('test "one" { assert(1 == 1) }\nbench "two" { let x = zeros[f32](8) }\n')

REFUSED = [
    # In front of the command.
    (["--device", "host", "run", program], "--device stands in front of `run`"),
    (["-q", "test", blocks], "--quiet stands in front of `test`"),
    (["-O", "0", "build", program], "-O stands in front of `build`"),
    # What is no command, option or argument.
    ([program], "to run a program: raddle run"),
    (["runn", program], "there is no command `runn`; did you mean run?"),
    (["run", program, "--devise", "host"], "raddle run has no option --devise; did you mean --device?"),
    (["run", program, "--frobnicate"], "raddle run has no option --frobnicate; raddle run --help lists them"),
    (["run", program, "again"], "raddle run takes nothing more, and `again` was given; arguments of the program stand behind --"),
    (["explain", "R0601", "R0602"], "raddle explain takes nothing more"),
    (["run"], "file is required; raddle run --help"),
    # Each command that compiles.
    (["run", program, "--unchecked", "--verify-proofs"], "leave one of them out"),
    (["test", blocks, "-g", "-O", "2"], "leave -O 2 out"),
    (["run", program, "--messages=json", "--time"], "write --time=json"),
    (["run", program, "--device", "host", "--link", program], "--link takes code for GPUs"),
    (["run", program, "--check=race", "--device", "cuda:0"], "leave --device out, or use --device host"),
    (["test", blocks, "--check=uninit", "--device", "all"], "leave --device out, or use --device host"),
    (["repl", "--check=race", "--device", "cuda:0"], "leave --device out, or use --device host"),
    (["--check=race", "--device", "cuda:0"], "leave --device out, or use --device host"),
    # run
    (["run", program, "--batch", "--", "a"], "in the list, not behind --"),
    (["run", "-", "--batch", "--isolate"], "it must be a file"),
    (["run", program, "--batch", "--messages=json"], "cannot be used with it"),
    (["test", blocks, "--", "a"], "arguments behind -- belong to a program"),
    # test and bench
    (["test", blocks, "--json", "-", "--junit", "-"], "would both write standard output"),
    (["test", blocks, "--json", folder + "/x", "--junit", folder + "/x"], "would both write"),
    (["bench", blocks, "--threshold", "2"], "it needs --compare FILE"),
    # build
    (["build", program, "--emit=ast", "--spec", "none"], "--spec is about code that is generated: --emit=ast ends before"),
    (["build", program, "--emit=typed", "-O", "0"], "-O is about code that is generated"),
    (["build", program, "--emit=typed", "--explain-launch"], "--explain-launch is about code"),
    (["build", program, "--emit=tokens", "--remarks"], "--remarks needs the checked program"),
    (["build", program, "--emit=ast", "--verify-proofs"], "--verify-proofs needs the checked program"),
    (["build", program, "--emit=typed", "--arch", "sm_80"], "--arch is about code"),
    (["build", program, "--verify", "-o", folder + "/x"], "leave -o out"),
    (["build", program, "--verify", "--fp", "fast"], "--fp is about code that is generated: --verify ends before"),
    (["build", program, "--from=llvm", "--spec", "none"], "--spec is about programs"),
    (["build", program, "--from=llvm", "--verify"], "--verify is about programs"),
    (["build", program, "--from=ptx", "--fp", "fast"], "--fp was decided when the PTX was made"),
    (["build", program, "--arch", "host", "--emit=asm", "--spec", "aligned16"], "nothing but inrange"),
    (["build", program, "--emit=ptx", "--link", program], "--link joins machine code of GPUs"),
    (["build", program, "--beside", program], "it needs --time=json"),
]
wrong = 0
for arguments, words in REFUSED:
    done = subprocess.run([tool] + arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 2 or words not in done.stderr or done.stdout or done.stderr.count("\n") != 1:
        wrong += 1
        print("%s: status %d, wanted 2 and %r in one line:\n%s%s" % (" ".join(arguments), done.returncode, words, done.stdout, done.stderr))
if os.path.exists(folder + "/x"):
    wrong += 1
    print("a refused command wrote a file")
sys.exit(wrong != 0)
