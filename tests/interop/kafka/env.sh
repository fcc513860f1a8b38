# Shared settings of the Kafka scripts; sourced, never run.
#
# KAFKA_HOME     where the jars are (default: target/interop-cache/kafka of this repository)
# KAFKA_VERSION  the version that is the yardstick; the recorded corpus belongs to it
kafka_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
INTEROP_CACHE=${INTEROP_CACHE:-$(cd "$kafka_scripts/../../.." && pwd)/target/interop-cache}
KAFKA_HOME=${KAFKA_HOME:-$INTEROP_CACHE/kafka}
KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
LOG4J_VERSION=${LOG4J_VERSION:-2.24.3}
