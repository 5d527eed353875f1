# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""in_guide.py GUIDE: each command that the help on standard input lists stands in the guide's table, and no other."""
import re
import sys

listed = re.findall(r"^  (:[\w-]+)", sys.stdin.read(), re.M)
described = re.findall(r"^\| `(:[\w-]+)[ `]", open(sys.argv[1], encoding="utf-8").read(), re.M)
assert len(listed) > 10, listed
assert sorted(listed) == sorted(described), set(listed) ^ set(described)
