# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shows the objects that --messages=json writes: a line each."""
import json
import os
import sys

for line in sys.stdin:
    one = json.loads(line)
    place = "%s %d:%d-%d:%d" % (os.path.basename(one["file"]), one["line"], one["column"], one["endLine"], one["endColumn"])
    print(one["level"], one["code"], place, one["message"] + ("; help: " + one["help"] if "help" in one else ""))
