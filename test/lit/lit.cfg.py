# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The lit suite. Loaded through a lit.site.cfg.py: the one that CMake writes into the build folder, or
# the one at the root of the unpacked portable archive (no LLVM is installed there).
#
# Substitutions
#   %raddle      the tool, under a time limit (RADDLE_TEST_TIMEOUT seconds, 120)
#   %raddle_path the tool itself, for scripts that start it
#   %FileCheck   FileCheck
#   %llvm-dwarfdump   LLVM's printer of debug information (feature: llvm-dwarfdump)
#   %not         the next command must fail, and not by a crash (lit's own, needs no tool)
#   %python      the Python that runs lit (its PYTHONPATH has numpy where the tests' packages are installed)
#   %examples %stdlib   those folders
#   %lit_module  the folder of raddle_lit; %lit_and_module: that of lit, too, as PYTHONPATH has them
#   %photo       a photograph, PNG (feature: photo)
#   %fake_cuda   the fake driver, a libcuda.so.1 (feature: fake-driver)
# Features (REQUIRES:)
#   host             always
#   cuda             a real GPU; only ./gpu switches it on (RADDLE_TEST_CUDA=1)
#   cuda-build       the tool was built with the CUDA device
#   nvptxcompiler    PTX is assembled in process
#   nvjitlink nvrtc nvfatbin nvdisasm   found as the tool finds them
#   libdevice fake-driver photo numpy asan
#   gdb cuda-gdb llvm-dwarfdump zsh fish   found on this machine
#   exact-math       gmpy2 (MPFR), or mpmath: what math functions are compared with
import glob
import importlib.util
import os
import shutil
import sys

import lit.formats

config.name = "raddle"
config.suffixes = [".rad", ".test", ".ll", ".ptx"]
config.excludes = ["inputs", "Inputs"]
config.test_source_root = os.path.join(config.raddle_source, "test", "lit")
config.test_format = lit.formats.ShTest(execute_external=False)

seconds = os.environ.get("RADDLE_TEST_TIMEOUT", "120")
filecheck = os.path.join(config.raddle_llvm_tools, "FileCheck")
photo = getattr(config, "raddle_photo", "")

if not os.path.exists(config.raddle_tool):
    lit_config.fatal("the raddle tool is not built: %s" % config.raddle_tool)
if not os.path.exists(filecheck):
    filecheck = shutil.which("FileCheck-22") or lit_config.fatal("FileCheck not found in %s" % config.raddle_llvm_tools)

lit_module = next((path for path in (os.path.join(config.raddle_source, "tools", "lit"), os.path.join(config.raddle_source, "python"))
                   if os.path.exists(os.path.join(path, "raddle_lit"))), "")
fake = os.path.join(config.raddle_fake_cuda, "libcuda.so.1")
for name, value in [
    # The longer name first: lit replaces in this order.
    ("%fake_cuda", fake),
    ("%raddle_path", config.raddle_tool),
    ("%raddle", "timeout -s KILL %s %s" % (seconds, config.raddle_tool)),
    ("%FileCheck", filecheck),
    ("%llvm-dwarfdump", os.path.join(config.raddle_llvm_tools, "llvm-dwarfdump")),
    ("%not", "not"),
    ("%python", sys.executable),
    ("%examples", os.path.join(config.raddle_source, "examples")),
    ("%stdlib", os.path.join(config.raddle_source, "stdlib")),
    ("%lit_and_module", os.pathsep.join([lit_module, os.path.dirname(os.path.dirname(os.path.abspath(lit.formats.__path__[0])))])),
    ("%lit_module", lit_module),
    ("%photo", photo),
]:
    config.substitutions.append((name, value))

# The test's own cache folder: no state of the user's account, and a fresh one each run.
cache = os.path.join(config.test_exec_root, "cache")
shutil.rmtree(cache, ignore_errors=True)
config.environment["XDG_CACHE_HOME"] = cache
config.environment["RADDLE_CACHE_DIR"] = cache
config.environment["RADDLE_VERIFY_TYPED"] = "1"  # typed programs are checked for being well formed
for name in ["RADDLE_TOOLKIT", "RADDLE_TEST_CUDA", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "HOME",
             "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]
if os.environ.get("PYTHONPATH"):  # tests run in other folders than this one
    config.environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, os.environ["PYTHONPATH"].split(os.pathsep)))

features = config.available_features
features.add("host")
if os.environ.get("RADDLE_TEST_CUDA") == "1":
    features.add("cuda")
if config.raddle_have_cuda:
    features.add("cuda-build")
for program in ["gdb", "cuda-gdb", "zsh", "fish"]:
    if shutil.which(program):
        features.add(program)
if os.path.exists(os.path.join(config.raddle_llvm_tools, "llvm-dwarfdump")):
    features.add("llvm-dwarfdump")
if config.raddle_have_nvptxcompiler:
    features.add("nvptxcompiler")
if config.raddle_libdevice:
    features.add("libdevice")
if shutil.which("cc"):
    features.add("cc")  # a C compiler, to compare with
if getattr(config, "raddle_asan", False):
    features.add("asan")
if os.path.exists(fake):
    features.add("fake-driver")
if photo and os.path.exists(photo):
    features.add("photo")
try:
    import numpy  # noqa: F401
    features.add("numpy")
except ImportError:
    pass
if any(importlib.util.find_spec(name) for name in ("gmpy2", "mpmath")):
    features.add("exact-math")

# Where the tool looks (runtime/dynlib/toolkit_discovery.h): RADDLE_TOOLKIT alone when given, else toolkits, the wheels beside
# the tool, the Python's wheels.
if os.environ.get("RADDLE_TOOLKIT"):
    roots = [os.environ["RADDLE_TOOLKIT"]]
else:
    roots = [os.environ.get("CUDA_HOME", ""), os.environ.get("CUDA_PATH", ""), "/usr/local/cuda", config.raddle_deps + "/cuda"]
    roots += sys.path
roots = [os.path.join(root, below) for root in roots if root for below in ("", "nvidia/cu13", "cu13")]


def found(folders, pattern):
    return any(glob.glob(os.path.join(root, folder, pattern)) for root in roots for folder in folders)


for feature, pattern in [("nvjitlink", "libnvJitLink.so.13"), ("nvrtc", "libnvrtc.so.13"), ("nvfatbin", "libnvfatbin.so.13")]:
    if found(["lib64", "lib", "targets/x86_64-linux/lib"], pattern):
        features.add(feature)
if shutil.which("nvdisasm") or found(["bin"], "nvdisasm"):
    features.add("nvdisasm")
