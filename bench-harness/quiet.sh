#!/usr/bin/env bash
# Runs a command in a network of its own: loopback alone, and a congestion control that does not pace.
#
# usage: quiet.sh COMMAND [ARG ...]
# A machine whose default is BBR paces even loopback with timers; what is measured then is timers.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5p' "$0"; exit 2; }
exec unshare --net sh -ec '
    ip link set lo up
    sysctl -qw net.ipv4.tcp_congestion_control=reno
    exec "$@"' quiet "$@"
