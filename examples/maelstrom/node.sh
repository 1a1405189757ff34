#!/bin/sh
# One node for Maelstrom's --bin, in a clone of the repository in which `npm run build` has run.
#
# Every run of Maelstrom begins with an empty map, so each process has a new folder of its own. For a node that is killed
# and started again within one run, give the run a folder: MINI_MAELSTROM_DIR=$(mktemp -d) ./maelstrom test ...
main=$(dirname "$(realpath "$0")")/../../dist/examples/kv/main.js
: "${MINI_MAELSTROM_DIR:=$(mktemp -d "${TMPDIR:-/tmp}/rxraft-maelstrom-XXXXXX")}"
export MINI_MAELSTROM_DIR
exec node "$main" maelstrom "$@"
