#!/usr/bin/env bash
# Fetches Apache Kafka's jars (broker, clients, command-line tools, Connect with its file connectors,
# Streams) through Maven.
#
# usage: install.sh
# The jars go to $KAFKA_HOME/libs; without KAFKA_HOME to target/interop-cache/kafka.
# Needs Java 17 and mvn. Running it again when the jars are there does nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"

dependency() { echo "    <dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }
pom=$(
    cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace.interop</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
$(for artifact in kafka_2.13 kafka-tools connect-file connect-mirror kafka-streams; do
    dependency org.apache.kafka $artifact "$KAFKA_VERSION"
done)
$(for artifact in log4j-core log4j-slf4j-impl; do
    dependency org.apache.logging.log4j $artifact "$LOG4J_VERSION"
done)
  </dependencies>
</project>
POM
)
# The stamp holds what is installed, so that a longer list is fetched where an older one is there.
stamp=$KAFKA_HOME/libs/.installed-$KAFKA_VERSION
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$pom" ] && exit 0

mkdir -p "$KAFKA_HOME"
exec 9>"$KAFKA_HOME/.lock"
flock 9
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$pom" ] && exit 0
echo "$pom" >"$KAFKA_HOME/pom.xml"
# Jars of the same version stay: something may be running from them.
[ -f "$stamp" ] || rm -rf "$KAFKA_HOME/libs"
mvn -B -q -f "$KAFKA_HOME/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$KAFKA_HOME/libs"
echo "$pom" >"$stamp"
