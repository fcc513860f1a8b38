#!/usr/bin/env bash
# Old versions of Kafka's Java client, which applications carry with them for years.
#
# usage: oldjava.sh BOOTSTRAP [--groups] [versions...]
# Kafka 4 serves clients from 2.1 on. Each version has its jars, and java/Old.java compiled with them.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
bootstrap=$1
shift
[ "${1:-}" != --groups ] || shift
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $OLD_JAVA_VERSIONS
OLD_JAVA_VERSIONS="$*" "$here/install.sh" oldjava 2>/dev/null || { echo "oldjava: the jars could not be fetched" >&2; exit 1; }
failed=0
for version in "$@"; do
    jars=$INTEROP_CACHE/oldjava/$version
    java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/classes:$jars/*" \
        Old "$bootstrap" "$version" 2>&1 | grep -v '^SLF4J' || { echo "oldjava: FAILED: $version" >&2; failed=1; }
done
[ $failed = 0 ] && echo "oldjava: $* equal"
