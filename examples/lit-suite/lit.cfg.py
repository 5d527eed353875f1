# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The sample suite of docs/lit-suites.md.
import raddle_lit

raddle_lit.configure(config, lit_config, name="sample")
