# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""update.py MODULE ARGUMENTS...: raddle_lit.update_checks from the folder MODULE."""
import sys

module = sys.argv.pop(1)
sys.path.insert(0, module)
from raddle_lit import update_checks  # noqa: E402

sys.exit(update_checks.main())
