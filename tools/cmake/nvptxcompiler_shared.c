/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The shared object around nvPTXCompiler has no code of its own; C wants one declaration. */
typedef int raddle_nvptxcompiler_is_the_archive;
