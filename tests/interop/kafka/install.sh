#!/usr/bin/env bash
# Fetches Apache Kafka's jars (broker, clients and command-line tools) through Maven.
#
# usage: install.sh
# The jars go to $KAFKA_HOME/libs; without KAFKA_HOME to target/interop-cache/kafka.
# Needs Java 17 and mvn. Running it again when the jars are there does nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"

if [ -f "$KAFKA_HOME/libs/.installed-$KAFKA_VERSION" ]; then
    exit 0
fi
mkdir -p "$KAFKA_HOME"
cat >"$KAFKA_HOME/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace.interop</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$LOG4J_VERSION</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$LOG4J_VERSION</version></dependency>
  </dependencies>
</project>
POM
rm -rf "$KAFKA_HOME/libs"
mvn -B -q -f "$KAFKA_HOME/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$KAFKA_HOME/libs"
touch "$KAFKA_HOME/libs/.installed-$KAFKA_VERSION"
