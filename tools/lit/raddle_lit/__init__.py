# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit for suites that are written in Raddle: what a lit.cfg.py needs, in one call.

    import raddle_lit
    raddle_lit.configure(config, lit_config)

The tool is $RADDLE, else `raddle` beside this module (in the portable archive), else the one in PATH; FileCheck is $FILECHECK, else
the one beside the tool, else FileCheck or FileCheck-22 in PATH. docs/lit-suites.md is the guide.

Substitutions: %raddle (under a time limit, RADDLE_TEST_TIMEOUT seconds, 60), %FileCheck, %not, %python, %device (what RADDLE_DEVICE says, else host).
Features:      host; cuda, cuda:0, sm_90, ... where there are GPUs; nvptxcompiler, nvjitlink, nvrtc, nvdisasm where they were found.
"""
import json
import os
import shutil
import subprocess
import sys

__all__ = ["configure", "find_tool", "find_filecheck"]


def find_tool():
    """The path of raddle; None where there is none."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for path in [os.environ.get("RADDLE"), os.path.join(os.path.dirname(here), "bin", "raddle"), shutil.which("raddle")]:
        if path and os.access(path, os.X_OK):
            return path
    return None


def find_filecheck(tool):
    """The path of FileCheck; None where there is none."""
    for path in [os.environ.get("FILECHECK"), os.path.join(os.path.dirname(tool), "FileCheck"), shutil.which("FileCheck"), shutil.which("FileCheck-22")]:
        if path and os.access(path, os.X_OK):
            return path
    return None


def features_of(tool):
    """What this machine can do, from `raddle doctor --json`."""
    features = {"host"}
    done = subprocess.run([tool, "doctor", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return features
    for device in report.get("devices", []):
        name = device.get("id", "")
        if name.startswith("cuda"):
            features |= {"cuda", name}
            if device.get("target"):
                features.add(device["target"])
    for key, feature in [("ptxAssembler", "nvptxcompiler"), ("nvJitLink", "nvjitlink"), ("nvrtc", "nvrtc"), ("nvdisasm", "nvdisasm")]:
        if report.get(key, {}).get("found"):
            features.add(feature)
    return features


def configure(config, lit_config, tool=None, name=None):
    """Fills lit's `config` for a suite in the folder of the calling lit.cfg.py. `tool`: a raddle other than find_tool()'s."""
    import lit.formats

    tool = tool or find_tool()
    if not tool:
        lit_config.fatal("raddle was not found: set RADDLE to its path")
    filecheck = find_filecheck(tool)
    if not filecheck:
        lit_config.fatal("FileCheck was not found: set FILECHECK to its path")
    config.name = name or config.name or "raddle-suite"
    config.test_format = lit.formats.ShTest(execute_external=False)
    config.suffixes = [".rad", ".test"]
    config.excludes = set(getattr(config, "excludes", ())) | {"inputs", "Inputs"}
    if not getattr(config, "test_source_root", None):
        config.test_source_root = None  # where lit.cfg.py lies
    seconds = os.environ.get("RADDLE_TEST_TIMEOUT", "60")
    for pattern, text in [
        ("%raddle_path", tool),  # the longer name first: lit replaces in this order
        ("%raddle", "timeout -s KILL %s %s" % (seconds, tool)),
        ("%FileCheck", filecheck),
        ("%not", "not"),
        ("%python", sys.executable),
        ("%device", os.environ.get("RADDLE_DEVICE", "host")),
    ]:
        config.substitutions.append((pattern, text))
    config.available_features |= features_of(tool)
    for variable in ["HOME", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "RADDLE_TOOLKIT", "RADDLE_THREADS", "XDG_CACHE_HOME", "RADDLE_CACHE_DIR"]:
        if variable in os.environ:
            config.environment[variable] = os.environ[variable]
