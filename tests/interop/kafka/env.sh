# Shared settings of the Kafka scripts; sourced, never run.
#
# KAFKA_HOME     where the jars are (default: target/interop-cache/kafka of this repository)
# KAFKA_VERSION  the version that is the yardstick; the recorded corpus belongs to it
kafka_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
INTEROP_CACHE=${INTEROP_CACHE:-$(cd "$kafka_scripts/../../.." && pwd)/target/interop-cache}
KAFKA_HOME=${KAFKA_HOME:-$INTEROP_CACHE/kafka}
KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
LOG4J_VERSION=${LOG4J_VERSION:-2.24.3}
# Clients of other years, and what applications put on top of them; see install.sh.
OLD_JAVA_VERSIONS=${OLD_JAVA_VERSIONS:-2.1.1 2.8.2 3.7.2}
TELEGRAF_VERSION=${TELEGRAF_VERSION:-v1.37.2}
FRAMEWORKS="org.apache.kafka:kafka-clients:3.9.1 org.springframework.kafka:spring-kafka:3.3.4
    io.projectreactor.kafka:reactor-kafka:1.3.23 io.vertx:vertx-kafka-client:4.5.11
    com.github.danielwegener:logback-kafka-appender:0.2.0-RC2 ch.qos.logback:logback-classic:1.2.13
    org.slf4j:slf4j-api:1.7.36 org.apache.logging.log4j:log4j-core:$LOG4J_VERSION"
