#!/usr/bin/env bash
# What CI runs: installs the clients and runs them against a Millrace of its own.
#
# usage: ci.sh [clients...]
# The last line is `N passed, N failed`. MILLRACE names the binary (see run.sh).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/install.sh" || { echo "the clients could not be installed"; echo "0 passed, 1 failed"; exit 1; }
export JAVA_GROUP_PROTOCOLS=${JAVA_GROUP_PROTOCOLS:-classic,consumer}
# A million takes most of two minutes.
export LINES=${LINES:-200000}
exec "$here/run.sh" --groups "$@"
