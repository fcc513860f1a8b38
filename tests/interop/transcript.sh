#!/usr/bin/env bash
# What Kafka's command-line tools say about a broker, with their less common options and with wrong
# input, as a text that can be compared line by line.
#
# usage: transcript.sh BOOTSTRAP LOG_DIR
#   the broker must be fresh, its node 1 and on this machine; LOG_DIR is its log folder
# What differs from run to run is masked. See answers.sh, which compares it with Apache Kafka's.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bootstrap=$1
logs=$2
topic=$(printf s%07d $$)
work=$(mktemp -d)
cleanup() {
    [ -z "${tools_in:-}" ] || exec {tools_in}>&-
    wait
    rm -rf "$work"
}
trap cleanup EXIT

. "$here/kafka/env.sh"
. "$here/kafka/classes.sh"
"$here/kafka/install.sh"
mkfifo "$work/to-tools" "$work/from-tools"
javac -nowarn -cp "$KAFKA_HOME/libs/*" -d "$work/classes" "$here/java/Tools.java" || exit 1
java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes:$KAFKA_HOME/libs/*" \
    -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" Tools \
    <"$work/to-tools" >"$work/from-tools" 2>"$work/tools.log" &
exec {tools_in}>"$work/to-tools" {tools_out}<"$work/from-tools"

# Numbers that say how fast a machine is, times, ids that are drawn, places.
mask() {
    sed -E -e '/^[[:space:]]+(at |\.\.\. [0-9]+ more)/d' -e "s#$logs#DIR#g; s#$work#WORK#g; s#$topic#T#g; s#$bootstrap#BOOTSTRAP#g" \
        -e "s#(localhost|127.0.0.1):${bootstrap##*:}#BOOTSTRAP#g" \
        -e 's/1[6-9][0-9]{11}/<time>/g; s/\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+Z?/<date>/g' \
        -e 's/(Topic ?Id: |TopicId: |"topicId":"|DirectoryId: )[A-Za-z0-9_-]{22}/\1<uuid>/g' \
        -e "s/[A-Za-z0-9.-]*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/<member>/g" \
        -e 's/"(member_?[iI]d)":"[A-Za-z0-9_-]{22}"/"\1":"<member>"/g' -e 's/[[:space:]]+$//' \
        -e 's/[A-Za-z0-9_-]{22}( +[0-9]+)/<uuid>\1/' -e '/^$/d' \
        -e 's/(errors\.[A-Za-z]+): .*/\1/; s/(CurrentVoters:).*/\1/' \
        -e 's/console-consumer-[0-9]+ */console-consumer-N /g; s/tries=[0-9]+/tries=N/; s/Epoch: [0-9]+/Epoch: N/' \
        -e "s/\b${bootstrap##*:}\b/PORT/g" "$@"
}
# t ARGS...: runs a tool on $stdin and prints what was asked, the status, and what it said.
stdin=/dev/null
filter=(cat)
t() {
    local class status
    class=$(tool_class "$1") || { echo "no tool $1"; exit 1; }
    echo "== $*" | mask
    shift
    local IFS=$'\x1f'
    echo "$work/out$IFS$stdin$IFS$class${*:+$IFS$*}" >&"$tools_in"
    read -r -t 150 status <&"$tools_out" || { echo "the tools' process is gone"; exit 1; }
    unset IFS
    echo "-- $status"
    "${filter[@]}" <"$work/out" | mask
}
# sorted ARGS..., only PATTERN ARGS...: where lines come in any order, or most are of no interest.
sorted() { filter=(sort); t "$@"; filter=(cat); }
only() { filter=(grep -E -- "$1"); t "${@:2}"; filter=(cat); }

b=(--bootstrap-server "$bootstrap")
given() { printf '%s\n' "$@" >"$work/input"; stdin=$work/input; }
none() { stdin=/dev/null; }

topics() {
    local k=(kafka-topics "${b[@]}")
    t "${k[@]}" --list
    t "${k[@]}" --create --topic "$topic" --partitions 2
    t "${k[@]}" --create --topic "$topic" --partitions 2
    t "${k[@]}" --create --topic "$topic" --if-not-exists
    t "${k[@]}" --create --topic "$topic-given" --replica-assignment 1,1,1
    t "${k[@]}" --create --topic "$topic-nobody" --replica-assignment 7
    t "${k[@]}" --create --topic "$topic-twice" --replica-assignment 1:1
    t "${k[@]}" --create --topic "$topic.dots" --partitions 1 --replication-factor 1 --config retention.ms=5000000
    t "${k[@]}" --create --topic "${topic}_dots"
    t "${k[@]}" --create --topic "bad name"
    t "${k[@]}" --create --topic "$topic-three" --replication-factor 3
    t "${k[@]}" --create --topic "$topic-zero" --partitions 0
    t "${k[@]}" --create --topic "$topic-config" --config no.such.config=1
    t "${k[@]}" --create --topic "$topic-config" --config retention.ms=soon
    t "${k[@]}" --list --exclude-internal
    t "${k[@]}" --list --topic "$topic.*ts"
    sorted "${k[@]}" --describe
    t "${k[@]}" --describe --topic "$topic"
    t "${k[@]}" --describe --topic "$topic-unknown"
    t "${k[@]}" --describe --topic "$topic-unknown" --if-exists
    sorted "${k[@]}" --describe --topics-with-overrides
    t "${k[@]}" --describe --under-replicated-partitions
    t "${k[@]}" --describe --unavailable-partitions
    t "${k[@]}" --describe --under-min-isr-partitions
    sorted "${k[@]}" --describe --at-min-isr-partitions
    sorted "${k[@]}" --describe --exclude-internal --partition-size-limit-per-response 1
    t "${k[@]}" --describe --topic-id AAAAAAAAAAAAAAAAAAAABQ
    t "${k[@]}" --alter --topic "$topic" --partitions 1
    t "${k[@]}" --alter --topic "$topic" --partitions 3
    t "${k[@]}" --alter --topic "$topic" --partitions 4 --replica-assignment 1,1,1,1
    t "${k[@]}" --alter --topic "$topic-unknown" --partitions 3
    t "${k[@]}" --alter --topic "$topic-unknown" --partitions 3 --if-exists
    t "${k[@]}" --delete --topic "$topic-unknown"
    t "${k[@]}" --delete --topic "$topic-unknown" --if-exists
    t "${k[@]}" --delete --topic "$topic-given"
    t "${k[@]}" --list
}

configs() {
    local k=(kafka-configs "${b[@]}") of=(--entity-type topics --entity-name)
    t "${k[@]}" --describe "${of[@]}" "$topic.dots"
    sorted "${k[@]}" --describe --entity-type topics
    t "${k[@]}" --describe "${of[@]}" "$topic-unknown"
    t "${k[@]}" --alter "${of[@]}" "$topic" --add-config "cleanup.policy=[compact,delete],segment.ms=100000"
    only 'cleanup|segment.ms' "${k[@]}" --describe "${of[@]}" "$topic"
    t "${k[@]}" --alter "${of[@]}" "$topic" --add-config "cleanup.policy=burn"
    t "${k[@]}" --alter "${of[@]}" "$topic" --add-config "no.such.config=1"
    t "${k[@]}" --alter "${of[@]}" "$topic-unknown" --add-config "segment.ms=100000"
    t "${k[@]}" --alter "${of[@]}" "$topic" --delete-config no.such.config
    t "${k[@]}" --alter "${of[@]}" "$topic" --delete-config "cleanup.policy,segment.ms"
    printf 'retention.ms=7000000\nflush.ms=5000\n' >"$work/config.properties"
    t "${k[@]}" --alter "${of[@]}" "$topic" --add-config-file "$work/config.properties"
    t "${k[@]}" --describe "${of[@]}" "$topic"
    t "${k[@]}" --alter "${of[@]}" "$topic" --delete-config "retention.ms,flush.ms"
    only 'min.insync|^Dynamic|log.cleaner' "${k[@]}" --describe --entity-type brokers --entity-name 1
    t "${k[@]}" --alter --entity-type brokers --entity-name 1 --add-config log.cleaner.threads=2
    only 'log.cleaner.threads' "${k[@]}" --describe --entity-type brokers --entity-name 1
    t "${k[@]}" --alter --entity-type brokers --entity-name 1 --add-config log.dirs=/tmp
    t "${k[@]}" --alter --entity-type brokers --entity-name 7 --add-config log.cleaner.threads=2
    t "${k[@]}" --alter --entity-type brokers --entity-name 1 --delete-config log.cleaner.threads
    t "${k[@]}" --describe --entity-type brokers --entity-name 7
    t "${k[@]}" --describe --entity-type users
    t "${k[@]}" --describe --entity-type clients
    t "${k[@]}" --describe --entity-type ips
    t "${k[@]}" --describe --entity-type groups
    t "${k[@]}" --describe --entity-type client-metrics
    t "${k[@]}" --alter --entity-type users --entity-name a --add-config producer_byte_rate=soon
    t "${k[@]}" --alter --entity-type users --entity-name a --add-config colour=1
    t "${k[@]}" --alter --entity-type users --entity-name a --add-config 'SCRAM-SHA-256=[iterations=4096,password=secret]'
    t "${k[@]}" --alter --entity-type users --entity-name a --add-config producer_byte_rate=100
    t "${k[@]}" --describe --entity-type users --entity-name a
    t "${k[@]}" --describe --user a
    t "${k[@]}" --alter --entity-type users --entity-name a --delete-config producer_byte_rate
    t "${k[@]}" --alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=1
    t "${k[@]}" --alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=50000
    t "${k[@]}" --describe --entity-type groups --entity-name g
    t "${k[@]}" --alter --entity-type client-metrics --entity-name m --add-config 'interval.ms=1000,metrics=[a,b],match=[client_id=x]'
    t "${k[@]}" --describe --entity-type client-metrics --entity-name m
    t "${k[@]}" --alter --entity-type client-metrics --entity-name m --add-config match=colour
    t kafka-client-metrics "${b[@]}" --list
    t kafka-client-metrics "${b[@]}" --describe --name m
    t kafka-client-metrics "${b[@]}" --alter --name n --metrics org.apache.,x --interval 30000 --match client_id=y
    t kafka-client-metrics "${b[@]}" --describe
    t kafka-client-metrics "${b[@]}" --delete --name n
    t kafka-client-metrics "${b[@]}" --delete --name m
    t kafka-client-metrics "${b[@]}" --alter --name n --interval 1
    t kafka-client-metrics "${b[@]}" --list
}

console() {
    local p=(kafka-console-producer "${b[@]}" --topic) c=(kafka-console-consumer "${b[@]}")
    local all=(--formatter-property print.key=true --formatter-property print.timestamp=false
        --formatter-property print.offset=true --formatter-property print.partition=true
        --formatter-property print.headers=true)
    given 'h1:a,h2:b	k1	value one' 'NULL	k2	NULL' 'h:	NULL	empty'
    t "${p[@]}" "$topic.dots" --reader-property parse.key=true --reader-property parse.headers=true --reader-property null.marker=NULL
    given one two three
    t "${p[@]}" "$topic.dots" --request-required-acks 0 --sync
    t "${p[@]}" "$topic.dots" --request-required-acks 1 --compression-codec zstd --batch-size 10 --timeout 5
    t "${p[@]}" "$topic.dots" --compression-codec lead
    t "${p[@]}" "$topic.dots" --reader-property parse.key=true
    t "${p[@]}" "bad name" --command-property max.block.ms=3000
    t "${p[@]}" "$topic-made"
    none
    t kafka-topics "${b[@]}" --describe --topic "$topic-made"
    t "${c[@]}" --topic "$topic.dots" --from-beginning --max-messages 9 --timeout-ms 20000 "${all[@]}"
    t "${c[@]}" --topic "$topic.dots" --from-beginning --timeout-ms 2500 --isolation-level read_committed
    t "${c[@]}" --topic "$topic.dots" --partition 0 --offset 4 --max-messages 2 --timeout-ms 20000
    t "${c[@]}" --topic "$topic.dots" --partition 0 --offset latest --timeout-ms 1500
    t "${c[@]}" --topic "$topic.dots" --partition 0 --offset 400 --timeout-ms 2500 --max-messages 2
    t "${c[@]}" --topic "$topic.dots" --partition 9 --offset earliest --timeout-ms 1500
    t "${c[@]}" --topic "$topic.dots" --offset earliest
    sorted "${c[@]}" --include "$topic.(dots|made)" --from-beginning --max-messages 12 --timeout-ms 20000 --group "$topic-g" "${all[@]}" \
        --consumer-property group.protocol=consumer
    t "${c[@]}" --topic "$topic-none" --timeout-ms 1500 --command-property allow.auto.create.topics=false
    t kafka-topics "${b[@]}" --list --exclude-internal
    only '^\[T|^\[' "${c[@]}" --topic __consumer_offsets --from-beginning --timeout-ms 4000 \
        --formatter org.apache.kafka.tools.consumer.OffsetsMessageFormatter
}

offsets() {
    local k=(kafka-get-offsets "${b[@]}") time
    for time in -1 -2 -3 -4 -5 -6 latest earliest max-timestamp earliest-local latest-tiered earliest-pending-upload 1000 9999999999999 noon; do
        t "${k[@]}" --topic "$topic.dots" --time "$time"
    done
    t "${k[@]}" --topic "$topic" --partitions 0,2
    t "${k[@]}" --topic-partitions "$topic:0-2,$topic.dots"
    t "${k[@]}" --topic-partitions "$topic:9"
    t "${k[@]}" --topic "$topic-unknown"
    t "${k[@]}" --exclude-internal-topics
    local d=(kafka-delete-records "${b[@]}" --offset-json-file "$work/delete.json")
    of() { echo "{\"version\":1,\"partitions\":[{\"topic\":\"$1\",\"partition\":$2,\"offset\":$3}]}" >"$work/delete.json"; t "${d[@]}"; }
    of "$topic.dots" 0 3
    of "$topic.dots" 0 1
    of "$topic.dots" 0 1000
    of "$topic.dots" 9 1
    of "$topic-unknown" 0 1
    of "$topic.dots" 0 -1
    of "$topic.dots" 0 -2
    echo '{"version":1' >"$work/delete.json"
    t "${d[@]}"
    local g=(kafka-consumer-groups "${b[@]}")
    sorted "${g[@]}" --list
    sorted "${g[@]}" --list --state
    sorted "${g[@]}" --describe --group "$topic-g"
    t "${g[@]}" --describe --group "$topic-g" --members --verbose
    t "${g[@]}" --describe --group "$topic-g" --state
    t "${g[@]}" --describe --group "$topic-nobody"
    t "${g[@]}" --describe --group "$topic-nobody" --state
    t "${g[@]}" --describe --group "$topic-nobody" --members
    sorted "${g[@]}" --reset-offsets --group "$topic-new" --topic "$topic" --to-earliest --execute
    sorted "${g[@]}" --reset-offsets --group "$topic-new" --topic "$topic:9" --to-earliest --execute
    sorted "${g[@]}" --reset-offsets --group "$topic-new" --topic "$topic-unknown" --to-earliest --execute
    sorted "${g[@]}" --reset-offsets --group "$topic-new" --topic "$topic" --to-offset 100 --dry-run
    t "${g[@]}" --validate-regex "a.*"
    sorted "${g[@]}" --delete-offsets --group "$topic-new" --topic "$topic-unknown"
    sorted "${g[@]}" --delete-offsets --group "$topic-nobody" --topic "$topic"
    t "${g[@]}" --delete --group "$topic-nobody"
    t "${g[@]}" --delete --group "$topic-new"
    for option in --consumer --share --streams; do sorted kafka-groups "${b[@]}" --list $option; done
    sorted kafka-groups "${b[@]}" --list --group-type classic --protocol consumer
    t kafka-groups "${b[@]}" --list --group-type colourful
}

cluster() {
    t kafka-features "${b[@]}" describe
    t kafka-features "${b[@]}" upgrade --feature no.such=1
    t kafka-features "${b[@]}" upgrade --feature group.version=1
    t kafka-features "${b[@]}" upgrade --feature group.version=9
    t kafka-features "${b[@]}" downgrade --feature group.version=0 --dry-run
    t kafka-features "${b[@]}" downgrade --metadata 3.7-IV0 --unsafe --dry-run
    t kafka-features "${b[@]}" upgrade --release-version 4.2
    t kafka-features "${b[@]}" disable --feature no.such --dry-run
    local status='^(LeaderId|CurrentVoters|CurrentObservers|MaxFollowerLag)|Error|Exception'
    only "$status" kafka-metadata-quorum "${b[@]}" describe --status
    filter=(awk '{ print $1, NF }')
    t kafka-metadata-quorum "${b[@]}" describe --replication
    filter=(awk '{ print $1, NF }')
    t kafka-metadata-quorum "${b[@]}" describe --replication --human-readable
    filter=(cat)
    t kafka-metadata-quorum "${b[@]}" remove-controller --controller-id 7 --controller-directory-id AAAAAAAAAAAAAAAAAAAABQ
    filter=(sed -E 's/: .*/:/')
    t kafka-cluster cluster-id "${b[@]}"
    filter=(cat)
    t kafka-cluster list-endpoints "${b[@]}"
    t kafka-cluster list-endpoints "${b[@]}" --include-fenced-brokers
    t kafka-cluster unregister "${b[@]}" --id 7
    local e=(kafka-leader-election "${b[@]}")
    t "${e[@]}" --election-type preferred --topic "$topic" --partition 0
    t "${e[@]}" --election-type unclean --topic "$topic" --partition 0
    t "${e[@]}" --election-type preferred --topic "$topic" --partition 99
    t "${e[@]}" --election-type preferred --all-topic-partitions
    echo "{\"partitions\":[{\"topic\":\"$topic\",\"partition\":1}]}" >"$work/elect.json"
    t "${e[@]}" --election-type preferred --path-to-json-file "$work/elect.json"
    local r=(kafka-reassign-partitions "${b[@]}")
    echo "{\"topics\":[{\"topic\":\"$topic\"}],\"version\":1}" >"$work/topics.json"
    t "${r[@]}" --generate --topics-to-move-json-file "$work/topics.json" --broker-list 1
    t "${r[@]}" --generate --topics-to-move-json-file "$work/topics.json" --broker-list 1,7
    echo "{\"version\":1,\"partitions\":[{\"topic\":\"$topic\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"any\"]}]}" >"$work/plan.json"
    t "${r[@]}" --execute --reassignment-json-file "$work/plan.json"
    t "${r[@]}" --verify --reassignment-json-file "$work/plan.json"
    t "${r[@]}" --execute --reassignment-json-file "$work/plan.json" --throttle 1000000
    t "${r[@]}" --verify --reassignment-json-file "$work/plan.json"
    t "${r[@]}" --cancel --reassignment-json-file "$work/plan.json"
    t "${r[@]}" --list
    sed "s#any#$logs#" "$work/plan.json" >"$work/dirs.json"
    t "${r[@]}" --execute --reassignment-json-file "$work/dirs.json" --replica-alter-log-dirs-throttle 1000000
    t "${r[@]}" --verify --reassignment-json-file "$work/dirs.json"
    sed 's#\[1\]#[7]#' "$work/plan.json" >"$work/nobody.json"
    t "${r[@]}" --execute --reassignment-json-file "$work/nobody.json"
    sed 's#"partition":0#"partition":99#' "$work/plan.json" >"$work/unknown.json"
    t "${r[@]}" --execute --reassignment-json-file "$work/unknown.json"
    t kafka-log-dirs "${b[@]}" --describe --topic-list "$topic.dots"
    t kafka-log-dirs "${b[@]}" --describe --broker-list 1 --topic-list "$topic-unknown"
    t kafka-log-dirs "${b[@]}" --describe --broker-list 7
    t kafka-acls "${b[@]}" --list
    t kafka-acls "${b[@]}" --add --allow-principal User:a --operation read --topic "$topic"
    t kafka-acls "${b[@]}" --remove --force --topic "$topic"
    t kafka-delegation-tokens "${b[@]}" --create --max-life-time-period -1 --command-config /dev/null
    t kafka-delegation-tokens "${b[@]}" --describe --command-config /dev/null
    t kafka-delegation-tokens "${b[@]}" --renew --renew-time-period -1 --hmac abcd --command-config /dev/null
    t kafka-delegation-tokens "${b[@]}" --expire --expiry-time-period -1 --hmac abcd --command-config /dev/null
    t kafka-transactions "${b[@]}" list
    t kafka-transactions "${b[@]}" list --duration-filter 5
    t kafka-transactions "${b[@]}" describe --transactional-id x
    t kafka-transactions "${b[@]}" find-hanging --broker-id 1
    t kafka-transactions "${b[@]}" abort --topic "$topic" --partition 0 --start-offset 0
    t kafka-transactions "${b[@]}" forceTerminateTransaction --transactionalId x
    t kafka-broker-api-versions "${b[@]}"
    for kind in share streams; do
        t kafka-$kind-groups "${b[@]}" --list
        t kafka-$kind-groups "${b[@]}" --describe --group "$topic-g"
        t kafka-$kind-groups "${b[@]}" --describe --group "$topic-nobody"
        t kafka-$kind-groups "${b[@]}" --delete --group "$topic-nobody"
    done
    sorted kafka-streams-application-reset "${b[@]}" --application-id "$topic-app" --input-topics "$topic" --force
    t kafka-streams-application-reset "${b[@]}" --application-id "$topic-app" --input-topics "$topic-unknown" --dry-run
}

load() {
    seq 5 | sed 's/$/ a line of the payload/' >"$work/payload"
    local shape=(sed -E 's/[0-9.]+ (records\/sec|MB\/sec|ms)/N \1/g; s/ [0-9]+ records sent/ N records sent/')
    filter=("${shape[@]}")
    t kafka-producer-perf-test --topic "$topic" --num-records 500 --payload-file "$work/payload" --throughput 5000 "${b[@]}"
    filter=("${shape[@]}")
    t kafka-producer-perf-test --topic "$topic" --num-records 500 --record-size 10 --throughput -1 \
        --producer-props "bootstrap.servers=$bootstrap" acks=0 batch.size=100 linger.ms=5
    filter=(sed -E 's/:.*//; /^[0-9]+ records sent/d')
    t kafka-producer-perf-test --topic "$topic" --num-records 10 --record-size 10 --throughput -1 "${b[@]}" --print-metrics
    filter=("${shape[@]}")
    t kafka-producer-perf-test --topic "$topic" --num-records 5 --record-size 10 --throughput -1 "${b[@]}" --transactional-id "$topic-x"
    filter=("${shape[@]}")
    t kafka-producer-perf-test --topic "$topic" --num-records 5 --record-size 2000000 --throughput -1 "${b[@]}"
    filter=(grep -cE '^[0-9]')
    t kafka-consumer-perf-test "${b[@]}" --topic "$topic" --num-records 900 --timeout 10000
    filter=(grep -E '^start|^time')
    t kafka-consumer-perf-test "${b[@]}" --topic "$topic" --num-records 900 --timeout 10000 --show-detailed-stats --reporting-interval 100
    filter=(grep -cE 'latency|Percentiles')
    t kafka-e2e-latency "${b[@]}" --topic "$topic" --num-records 20 --producer-acks all --record-size 10
    # What it says of its records may come after its end.
    filter=(grep -c startup_complete)
    t kafka-verifiable-producer "${b[@]}" --topic "$topic.dots" --max-messages 5 --acks -1 --value-prefix 7
    filter=(sed -E 's/"timestamp":[0-9]+/"timestamp":N/g')
    t kafka-verifiable-consumer "${b[@]}" --topic "$topic.dots" --group-id "$topic-v" --max-messages 5 --reset-policy earliest --verbose
    filter=(cat)
}

files() {
    local d=(kafka-dump-log)
    local folder="$logs/$topic.dots-0" meta="$logs/__cluster_metadata-0"
    local noise='Dumping|Log starting|exception|Exception|isvalid: false|could not|Mismatch|not found|sanity'
    only "$noise|payload" "${d[@]}" --print-data-log --files "$folder/00000000000000000000.log"
    only "$noise|baseOffset" "${d[@]}" --files "$folder/00000000000000000000.log" --max-bytes 100
    only "$noise|payload" "${d[@]}" --print-data-log --skip-record-metadata --files "$folder/00000000000000000000.log"
    only "$noise|payload" "${d[@]}" --deep-iteration --value-decoder-class org.apache.kafka.tools.api.StringDecoder \
        --key-decoder-class org.apache.kafka.tools.api.StringDecoder --files "$folder/00000000000000000000.log"
    only "$noise|type\":\"TOPIC_RECORD" "${d[@]}" --cluster-metadata-decoder --skip-record-metadata --files "$meta/00000000000000000000.log"
    only "$noise" "${d[@]}" --transaction-log-decoder --files "$folder/00000000000000000000.log"
    filter=(sed -E 's/: [0-9]+$/: N/')
    t kafka-storage random-uuid >"$work/uuid"
    tail -1 "$work/uuid" | wc -c
    filter=(cat)
    printf 'process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\ncontroller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:2\nlog.dirs=%s\n' "$logs" >"$work/storage.properties"
    filter=(sed -E 's/(cluster.id|directory.id)=.*/\1=ID/; s/directory_id":"[^"]*/directory_id":"ID/; s/but read .*/but read ID/')
    t kafka-storage info -c "$work/storage.properties"
    t kafka-storage format -c "$work/storage.properties" -t AAAAAAAAAAAAAAAAAAAABQ
    filter=(cat)
}

parts=("${@:3}")
[ ${#parts[@]} -gt 0 ] || parts=(topics configs console offsets cluster load files)
for part in "${parts[@]}"; do "$part"; done
