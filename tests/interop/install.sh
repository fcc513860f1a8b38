#!/usr/bin/env bash
# Installs the clients that the interop runs use, at pinned versions, into a cache folder.
#
# usage: install.sh [parts...]
#   parts: python node go java kcat shippers oldjava frameworks     (default: all of these)
#          telegraf rust, which take minutes to build
# The cache is $INTEROP_CACHE (default target/interop-cache); Kafka's jars go to $KAFKA_HOME
# (default: kafka/ in the cache). What is there already is kept. Needs python3 with venv, npm, go,
# Java 17 with Maven, and apt-get for kcat.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
mkdir -p "$INTEROP_CACHE"

# True when `stamp` is as new as its input files; otherwise the install step has to run.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

install_python() {
    local want; want=$(sha256sum <"$here/python/requirements.txt")
    fresh "$INTEROP_CACHE/python/.installed" "$want" && return
    rm -rf "$INTEROP_CACHE/python"
    python3 -m venv "$INTEROP_CACHE/python"
    "$INTEROP_CACHE/python/bin/pip" install -q --disable-pip-version-check \
        -r "$here/python/requirements.txt"
    echo "$want" >"$INTEROP_CACHE/python/.installed"
}

install_node() {
    local want; want=$(sha256sum <"$here/node/package.json")
    fresh "$INTEROP_CACHE/node/.installed" "$want" && return
    rm -rf "$INTEROP_CACHE/node"
    mkdir -p "$INTEROP_CACHE/node"
    cp "$here/node/package.json" "$INTEROP_CACHE/node/"
    (cd "$INTEROP_CACHE/node" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null)
    echo "$want" >"$INTEROP_CACHE/node/.installed"
}

install_go() {
    local want; want=$(cat "$here"/go/*.* "$here"/go/*/*.go | sha256sum)
    fresh "$INTEROP_CACHE/go/.installed" "$want" && return
    mkdir -p "$INTEROP_CACHE/go"
    (cd "$here/go" && CGO_ENABLED=0 go build -o "$INTEROP_CACHE/go/" ./franz ./lines ./sarama ./segmentio)
    echo "$want" >"$INTEROP_CACHE/go/.installed"
}

install_java() {
    "$here/kafka/install.sh"
}

install_kcat() {
    command -v kcat >/dev/null && return
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq kcat) >/dev/null
}

install_shippers() {
    local debian=$INTEROP_CACHE/debian package
    command -v syslog-ng >/dev/null && [ -x /usr/sbin/collectd ] && [ -x "$debian/usr/sbin/rsyslogd" ] && return
    # Only the programs are used: nothing is to be started. The system takes one package that is a
    # syslog, so rsyslog is unpacked beside it.
    (
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
            syslog-ng-core syslog-ng-mod-rdkafka collectd-core libestr0 libfastjson4 liblognorm5 librdkafka1
    ) >/dev/null
    mkdir -p "$debian"
    cd "$debian"
    apt-get download -qq rsyslog rsyslog-kafka >/dev/null
    for package in rsyslog*.deb; do dpkg -x "$package" .; done
    cd - >/dev/null
}

install_telegraf() {
    local folder=$INTEROP_CACHE/telegraf
    fresh "$folder/.installed" "$TELEGRAF_VERSION" && return
    rm -rf "$folder"
    mkdir -p "$folder"
    # With what is needed alone, as its documentation has it; all plugins would take many minutes.
    (
        cd "$folder"
        go mod init millrace.invalid/telegraf
        go mod edit -require "github.com/influxdata/telegraf@$TELEGRAF_VERSION"
        CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags="-s -w" -o telegraf \
            -tags custom,inputs.tail,outputs.kafka,parsers.value,serializers.template \
            github.com/influxdata/telegraf/cmd/telegraf
    ) >/dev/null 2>&1
    echo "$TELEGRAF_VERSION" >"$folder/.installed"
}

# maven FOLDER DEPENDENCY...: jars with all that they need; a dependency is group:artifact:version.
maven() {
    local folder=$1 pom it
    shift
    pom=$(
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo '<groupId>millrace.interop</groupId><artifactId>clients</artifactId><version>1</version>'
        echo '<packaging>pom</packaging><dependencies>'
        for it in "$@"; do
            IFS=: read -r group artifact version <<<"$it"
            echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>"
        done
        echo '</dependencies></project>'
    )
    fresh "$folder/.installed" "$pom" && return
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "$pom" >"$folder/pom.xml"
    mvn -B -q -f "$folder/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$folder"
    echo "$pom" >"$folder/.installed"
}

# compile FOLDER CLASS: a class of java/ with the jars of a folder.
compile() {
    [ "$1/classes/$2.class" -nt "$here/java/$2.java" ] && return
    javac -nowarn -Xlint:-deprecation -cp "$1/*" -d "$1/classes" "$here/java/$2.java" 2>&1 | { grep -v '^Note:' >&2 || true; }
}

install_oldjava() {
    local version
    for version in $OLD_JAVA_VERSIONS; do
        maven "$INTEROP_CACHE/oldjava/$version" "org.apache.kafka:kafka-clients:$version" org.slf4j:slf4j-nop:1.7.36
        compile "$INTEROP_CACHE/oldjava/$version" Old
    done
}

install_frameworks() {
    # shellcheck disable=SC2086
    maven "$INTEROP_CACHE/frameworks" $FRAMEWORKS
    compile "$INTEROP_CACHE/frameworks" Frameworks
}

install_rust() {
    local want; want=$(cat "$here"/rust/Cargo.* "$here"/rust/src/*.rs | sha256sum)
    fresh "$INTEROP_CACHE/rust/.installed" "$want" && return
    cargo build --quiet --locked --release --manifest-path "$here/rust/Cargo.toml" --target-dir "$INTEROP_CACHE/rust/target"
    cp "$INTEROP_CACHE/rust/target/release/millrace-interop-rust" "$INTEROP_CACHE/rust/rskafka"
    echo "$want" >"$INTEROP_CACHE/rust/.installed"
}

[ $# -gt 0 ] || set -- python node go java kcat shippers oldjava frameworks
for part in "$@"; do
    echo "install: $part" >&2
    "install_$part"
done
