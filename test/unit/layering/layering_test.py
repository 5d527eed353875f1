#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The allowed #includes between folders: data flows one way, and includes point only to earlier data.

A new folder gets a row in FOLDERS; a new include between two existing folders is a decision about the
architecture, not a detail of this table. `layering_test.py ROOT` checks the sources,
`layering_test.py ROOT --self-test` checks the checker.
"""
import os
import re
import sys
import tempfile

# Whoever only needs a finished program: not how text becomes one.
TYPED = ["frontend/" + name for name in ("source", "diagnostics", "ast", "types", "target", "builtins", "sema")]
ARTIFACT = "codegen/artifact"
AHEAD_OF_TIME = ["runtime/" + name for name in ("base", "dynlib", "driver", "device", "cuda", "host", "launch", "files", "plot")]
EVERYTHING = ["*"]

# folder: the folders it may include from (its own is always allowed)
FOLDERS = {
    "frontend/source": [],
    "frontend/diagnostics": ["frontend/source"],
    "frontend/target": ["frontend/source", "frontend/diagnostics"],
    "frontend/types": ["frontend/source", "frontend/diagnostics", "frontend/target"],
    "frontend/builtins": ["frontend/source", "frontend/diagnostics", "frontend/target", "frontend/types"],
    "frontend/ast": ["frontend/source", "frontend/diagnostics"],
    "frontend/lex": ["frontend/source", "frontend/diagnostics", "frontend/ast"],
    "frontend/parse": ["frontend/source", "frontend/diagnostics", "frontend/ast", "frontend/lex"],
    "frontend/format": ["frontend/source", "frontend/diagnostics", "frontend/ast", "frontend/lex", "frontend/parse"],
    # Imported modules and the library are parsed on first use, so a session starts the parser.
    "frontend/sema": TYPED + ["frontend/parse"],
    # The head of the room: text in, typed program out.
    "frontend": ["frontend/" + name for name in ("source", "diagnostics", "lex", "parse", "ast", "format", "types",
                                                 "target", "builtins", "sema")],
    # Plain data between the compiler and the runtime; the one folder of codegen that runtime rooms see.
    ARTIFACT: [],
    # The head of the room: what codegen is asked for; its definitions use the folders below.
    "codegen": TYPED + ["codegen/artifact", "codegen/lower", "codegen/nvptx", "codegen/host", "codegen/opt"],
    "codegen/lower": TYPED + ["codegen", "codegen/artifact"],
    "codegen/nvptx": TYPED + ["codegen", "codegen/artifact", "codegen/lower", "codegen/opt"],
    "codegen/host": TYPED + ["codegen", "codegen/artifact", "codegen/lower", "codegen/opt"],
    "codegen/opt": TYPED + ["codegen", "codegen/artifact", "codegen/lower"],
    "runtime/base": [],
    "runtime/dynlib": ["runtime/base"],
    # The CUDA Driver API for C++ programs: nothing of the compiler, not even its plain data.
    "runtime/driver": ["runtime/base", "runtime/dynlib"],
    "runtime/toolkit": ["runtime/base", "runtime/dynlib"],
    "runtime/device": ["runtime/base", ARTIFACT],
    "runtime/cuda": ["runtime/base", "runtime/dynlib", "runtime/driver", "runtime/device", ARTIFACT],
    "runtime/host": ["runtime/base", "runtime/device", ARTIFACT],
    "runtime/isolated": ["runtime/base", "runtime/device", ARTIFACT],
    "runtime/files": ["runtime/base", ARTIFACT],
    "runtime/plot": [],
    "runtime/launch": ["runtime/base", "runtime/device", ARTIFACT],
    "runtime/host_jit": ["runtime/base", "runtime/device", "runtime/host", "runtime/launch", "runtime/api",
                         ARTIFACT, "codegen", "codegen/host", "codegen/lower", "codegen/opt"],
    "runtime/api": AHEAD_OF_TIME + [ARTIFACT],
    # The one place that sees every stage, and those who are above it.
    "runtime/engine": EVERYTHING,
    "tools/raddle": EVERYTHING,
    "tools/packaging": EVERYTHING,
    "tools/cmake": EVERYTHING,
    "test": EVERYTHING,
    "bench": EVERYTHING,
    "python": EVERYTHING,
    "examples": EVERYTHING,
}

# Single headers that a folder may include beyond its row: descriptions of an interface, with no code behind them.
FILES = {
    # The names and layouts that generated host code uses; codegen emits calls of it, the runtime defines them.
    "codegen/host": ["runtime/api/host_abi.h"],
    # Launches read views where host code has them.
    "runtime/launch": ["runtime/api/host_abi.h"],
}

# LLVM's headers: prefixes that a folder may include. Not named: none.
LLVM_SUPPORT = ["llvm/ADT/", "llvm/Support/"]
LLVM_ANY = ["llvm/", "llvm-c/"]
LLVM = {
    "frontend": LLVM_SUPPORT,
    "codegen": LLVM_ANY,
    "codegen/artifact": [],
    "runtime/host_jit": LLVM_ANY,
    "runtime/engine": LLVM_ANY,
    "tools": LLVM_ANY,
    "test": LLVM_ANY,
    "bench": LLVM_ANY,
}

# The headers of NVIDIA's libraries, and who may include them.
CUDA_HEADERS = re.compile(r"^(cuda|cudaTypedefs|cudaGL\w*|cuda_runtime\w*|nvJitLink|nvFatbin|nvrtc|nvPTXCompiler|nvvm)\.h$")
CUDA = ["runtime/dynlib", "runtime/driver", "runtime/toolkit", "runtime/cuda", "test", "bench", "examples"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = (".h", ".hpp", ".cpp", ".c", ".def", ".l", ".y", ".inc")
ROOMS = ("frontend", "codegen", "runtime", "tools", "test", "bench", "python", "examples", "stdlib")


def row(table, folder):
    """The entry of the folder or of the closest folder above it."""
    while folder:
        if folder in table:
            return table[folder]
        folder = folder.rpartition("/")[0]
    return None


def room_of(folder):
    while folder and folder not in FOLDERS:
        folder = folder.rpartition("/")[0]
    return folder


def check_include(path, bracket, name):
    """Why the file at `path` may not include `name`; None when it may."""
    folder = os.path.dirname(path)
    if name.startswith(("llvm/", "llvm-c/", "clang/", "mlir/")):
        allowed = row(LLVM, folder) or []
        if not name.startswith(tuple(allowed) or ("\0",)):
            return "LLVM here: " + (", ".join(allowed) if allowed else "none")
        return None
    if CUDA_HEADERS.match(name):
        if not any(folder == allowed or folder.startswith(allowed + "/") for allowed in CUDA):
            return "CUDA headers are for " + ", ".join(CUDA)
        return None
    if bracket == "<":
        return None
    if "/" not in name or name.split("/")[0] not in ROOMS:
        return "an include names its file from the repository's root"
    own = room_of(folder)
    if not own:
        return "the folder %s has no row in test/unit/layering/layering_test.py" % folder
    allowed = FOLDERS[own]
    target = room_of(os.path.dirname(name))
    if target == own or allowed == EVERYTHING:
        return None
    if name in FILES.get(own, []):
        return None
    # Tables of plain rows may be read by whoever needs the list.
    if name.endswith(".def") and name.startswith("frontend/") and own.startswith(("frontend/", "codegen/", "runtime/")):
        return None
    if not target:
        return "%s is in no known folder" % name
    if target not in allowed:
        return "%s may include from: %s" % (own, ", ".join(allowed) or "nothing but itself")
    return None


def check(root):
    errors = []
    files = 0
    for top in ROOMS:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [name for name in folders if name not in ("build", "inputs", "Inputs", "__pycache__")]
            for name in names:
                if not name.endswith(SOURCES):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                files += 1
                with open(os.path.join(folder, name), errors="replace") as file:
                    for number, line in enumerate(file, 1):
                        match = INCLUDE.match(line)
                        why = match and check_include(path, match.group(1), match.group(2))
                        if why:
                            errors.append("%s:%d: #include of %s: %s" % (path, number, match.group(2), why))
    return files, errors


def self_test():
    cases = [  # file, include line, allowed?
        ("frontend/sema/check.cpp", '#include "frontend/ast/ast.h"', True),
        ("frontend/ast/ast.h", '#include "frontend/sema/check.h"', False),
        ("frontend/lex/lexer.l", "#include <llvm/ADT/StringRef.h>", True),
        ("frontend/sema/check.cpp", '#include "llvm/IR/Module.h"', False),
        ("frontend/sema/check.cpp", '#include "runtime/base/result.h"', False),
        ("codegen/lower/lower.cpp", '#include "llvm/IR/IRBuilder.h"', True),
        ("codegen/lower/lower.cpp", "#include <cuda.h>", False),
        ("codegen/host/call.cpp", '#include "runtime/api/host_abi.h"', True),
        ("codegen/lower/call.cpp", '#include "runtime/api/host_abi.h"', False),
        ("codegen/lower/lower.cpp", '#include "frontend/parse/parser.h"', False),
        ("codegen/artifact/kernel.h", '#include "llvm/ADT/StringRef.h"', False),
        ("runtime/cuda/stream.cpp", "#include <cuda.h>", True),
        ("runtime/cuda/stream.cpp", '#include "llvm/Support/Error.h"', False),
        ("runtime/device/device.h", '#include "codegen/artifact/kernel.h"', True),
        ("runtime/device/device.h", '#include "runtime/cuda/stream.h"', False),
        ("runtime/launch/bind.cpp", "#include <nvrtc.h>", False),
        ("runtime/engine/engine.cpp", '#include "frontend/parse/parser.h"', True),
        ("runtime/base/result.cpp", '#include "result.h"', False),
        ("runtime/newroom/a.cpp", '#include "runtime/base/result.h"', False),
        ("test/unit/base/result_test.cpp", '#include "runtime/base/result.h"', True),
        ("runtime/base/result.cpp", "#include <string>", True),
    ]
    wrong = []
    for path, line, allowed in cases:
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.dirname(os.path.join(root, path)))
            with open(os.path.join(root, path), "w") as file:
                file.write("// first line\n" + line + "\n")
            files, errors = check(root)
            if files != 1 or (not errors) != allowed:
                wrong.append("%s with %s: %s" % (path, line, errors or "allowed"))
    return wrong


def main():
    wrong = self_test()
    for text in wrong:
        print("layering self-test: " + text)
    if wrong or "--self-test" in sys.argv:
        return 1 if wrong else 0
    files, errors = check(sys.argv[1])
    for error in errors:
        print(error)
    print("layering: %d files, %d forbidden includes" % (files, len(errors)))
    return 1 if errors or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
