# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit itself, with all its options: python3 -m raddle_lit -v SUITE..."""
import sys

try:
    from lit.main import main
except ImportError:
    sys.exit("raddle_lit: there is no lit for %s: pip install lit" % sys.executable)
main()
