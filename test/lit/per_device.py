# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A lit format for tests that every device has to pass: the files of one folder, listed once a device, with `%device` in
# their RUN lines standing for it. A lit.local.cfg per device makes one (see conformance/host and conformance/cuda).
import os

import lit.Test
import lit.formats


class SharedTest(lit.Test.Test):
    """A test whose text lies elsewhere than its place in the suite says."""

    def __init__(self, suite, path_in_suite, config, text_path):
        self.text_path = text_path
        super().__init__(suite, path_in_suite, config, file_path=text_path)

    def getSourcePath(self):
        return self.text_path


class PerDevice(lit.formats.ShTest):
    """The files below `folder` that end in one of `suffixes`, as tests of the device that `config` is set up for."""

    def __init__(self, folder, suffixes):
        super().__init__(execute_external=False)
        self.folder = os.path.realpath(folder)
        self.suffixes = tuple(suffixes)

    def getTestsInDirectory(self, suite, path_in_suite, lit_config, config):
        for folder, _, names in sorted(os.walk(self.folder)):
            for name in sorted(names):
                if name.endswith(self.suffixes):
                    path = os.path.join(folder, name)
                    parts = tuple(os.path.relpath(path, self.folder).split(os.sep))
                    yield SharedTest(suite, path_in_suite + parts, config, path)


def setUp(config, device, folder, suffixes):
    """Makes `config` run the files of `folder` (relative to the repository's root) on `device`."""
    config.test_format = PerDevice(os.path.join(config.raddle_source, folder), suffixes)
    config.substitutions = list(config.substitutions) + [("%device", device)]
    if device.startswith("cuda") and "cuda" not in config.available_features:
        config.unsupported = True
