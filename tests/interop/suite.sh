#!/usr/bin/env bash
# Runs the tests that franz-go has of its own against a broker: groups with each balancer, the
# consumer protocol, idempotent producers, codecs, record sizes, retries.
#
# usage: suite.sh HOST:PORT [go test options...]
# Against Apache Kafka they pass: what fails here is a finding. Not run: transactions, share groups.
# RECORDS (default 50000) is the number of records that each group's test writes and reads.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 1 ] || { sed -n '2,7p' "$0"; exit 2; }
bootstrap=$1
shift
# The version is that of the interop program.
folder=$(cd "$here/go" && go mod download github.com/twmb/franz-go &&
    go list -m -f '{{.Dir}}' github.com/twmb/franz-go)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Its own copy, as a module of its own: the module cache cannot be written.
cp -r "$folder" "$work/franz-go"
chmod -R u+w "$work/franz-go"
cd "$work/franz-go/pkg/kgo"
KGO_SEEDS=$bootstrap KGO_TEST_RF=1 KGO_TEST_RECORDS=${RECORDS:-50000} KGO_LOG_LEVEL=none \
    go test -count=1 -timeout 10m -skip 'Txn|Share|SCRAM|Scram' "$@" .
