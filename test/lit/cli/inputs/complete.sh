# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# complete.sh TOOL FOLDER: what bash offers at some places.
tool=$1
cd "$2" || exit 1
PATH=$(dirname "$tool"):$PATH
source <("$tool" completions bash)
offer() { # LABEL WORDS...: at the end of the last word
  local label=$1
  shift
  COMP_WORDS=(raddle "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _raddle
  echo "$label: $(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' ')"
}
offer commands b
offer options run --dev
offer devices run --device ''
offer 'after =' run --fp = s
offer stages build --emit llvm
offer files run --time json some
offer 'behind a comma' run --check race,b
offer shells completions ''
offer codes explain R084
offer 'doctor takes' doctor ''
offer 'explain has no' explain --dev
