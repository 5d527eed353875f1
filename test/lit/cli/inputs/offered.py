# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What completions offer at the end of a line, whatever the shell; the folder holds some_program.rad and nothing else."""
COMMANDS = {"bench", "build", "completions", "doc", "doctor", "explain", "manual", "repl", "run", "test"}
FILE = {"some_program.rad"}
OFFERED = [
    ("raddle ", COMMANDS),
    ("raddle b", {"bench", "build"}),
    ("raddle run ", FILE),
    ("raddle run --dev", {"--device"}),
    ("raddle run --device ", {"host", "cuda:0"}),
    ("raddle run --device=", {"host", "cuda:0"}),
    ("raddle --fp s", {"strict"}),
    ("raddle build --emit ll", {"llvm", "llvm-opt"}),
    ("raddle build -O ", {"0", "1", "2"}),
    ("raddle run --check ", {"race", "uninit", "barrier"}),
    ("raddle run --check race,b", {"barrier"}),
    ("raddle test --junit s", FILE),
    ("raddle test some_program.rad s", FILE),
    ("raddle doc s", FILE),
    ("raddle run some_program.rad --ti", {"--time"}),
    ("raddle completions ", {"bash", "zsh", "fish"}),
    ("raddle explain R084", {"R0840", "R0841"}),
    ("raddle doctor --j", {"--json"}),
    ("raddle doctor ", set()),
]
