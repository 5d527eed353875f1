# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""run_lit.py MODULE SUITE [--fails]: lit over a suite, with the folders of raddle_lit and lit (MODULE) in the path; its exit status is as expected."""
import os
import subprocess
import sys

module, suite = sys.argv[1:3]
environment = dict(os.environ, PYTHONPATH=os.pathsep.join([module] + [path for path in sys.path if path]))
done = subprocess.run([sys.executable, "-m", "raddle_lit", "-v", "-j", "2", suite], env=environment, stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT, encoding="utf-8")
print(done.stdout)
sys.exit(0 if (done.returncode != 0) == ("--fails" in sys.argv) else 1)
