#!/bin/sh
# One node for Maelstrom's --bin, in a clone of the repository in which `npm run build` has run.
#
# Every run of Maelstrom begins with an empty map, so each has a folder of its own: the parent's process id tells
# them apart, and a node that is killed and started again within one run finds its state.
main=$(dirname "$(realpath "$0")")/../../dist/examples/kv/main.js
: "${MINI_MAELSTROM_DIR:=${TMPDIR:-/tmp}/rxraft-maelstrom-$PPID}"
export MINI_MAELSTROM_DIR
exec node "$main" maelstrom "$@"
