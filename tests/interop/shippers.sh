#!/usr/bin/env bash
# Log shippers and metric collectors as they are installed: each sends lines of a file (collectd: the
# machine's load) to a topic, and what kcat reads there must be those lines.
#
# usage: shippers.sh BOOTSTRAP [--groups] [shippers...]
#   shippers: rsyslog syslogng collectd telegraf (default: all that are installed; telegraf is by
#             `install.sh telegraf` only)
# With --groups those that read from Kafka too read it all back, as a member of a group, into a file.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
bootstrap=$1
shift
groups=
[ "${1:-}" != --groups ] || { groups=1; shift; }
# rsyslog is unpacked beside the system, which takes one package only that is a syslog.
debian=$INTEROP_CACHE/debian
PATH=$PATH:/usr/sbin:$debian/usr/sbin:$INTEROP_CACHE/telegraf
work=$(mktemp -d)
topic="interop-shippers-$(date +%s%N)"
count=5000
running=()
cleanup() {
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null
    wait
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "shippers: FAILED: $*" >&2
    tail -n 15 "$work"/*.log >&2
    exit 1
}
equal=0

awk -v count=$count 'BEGIN { for (i = 1; i <= count; i++)
    printf "%06d a line of a log, wärts ✓%s\n", i, i % 100 ? "" : sprintf(" %4000s", "long") }' >"$work/in"

# begin NAME COMMAND...: a shipper in the background; its words go to NAME.log.
begin() {
    "${@:2}" >"$work/$1.log" 2>&1 &
    running+=($!)
}
# end: the last one ends when it is asked to.
end() {
    kill "${running[-1]}" && wait "${running[-1]}" 2>/dev/null
    unset 'running[-1]'
}
# arrived NAME: the topic of that shipper holds the lines, in their order.
arrived() {
    local try
    for try in $(seq 150); do
        kcat -b "$bootstrap" -Q -t "$topic-$1:0:-1" 2>/dev/null | grep -q "offset $count\$" && break
        kill -0 "${running[-1]}" 2>/dev/null || break
        sleep 0.2
    done
    timeout 60 kcat -q -b "$bootstrap" -t "$topic-$1" -p 0 -C -o beginning -e >"$work/out" || fail "$1: reading"
    cmp "$work/in" "$work/out" || fail "$1: $(wc -l <"$work/out") lines of $count arrived, or others"
    equal=$((equal + 1))
}
# returned NAME: the shipper wrote what is in the topic to the file `back`.
returned() {
    local try
    for try in $(seq 150); do
        [ -f "$work/back" ] && [ "$(wc -l <"$work/back")" = "$count" ] && break
        kill -0 "${running[-1]}" 2>/dev/null || break
        sleep 0.2
    done
    cmp "$work/in" "$work/back" || fail "$1: the group read less than $count lines, or others"
    rm "$work/back"
    equal=$((equal + 1))
}

ship_rsyslog() {
    mkdir "$work/rsyslog"
    local rsyslog_modules=("$debian"/usr/lib/*/rsyslog)
    local preamble="global(workDirectory=\"$work/rsyslog\" maxMessageSize=\"64k\")
template(name=\"line\" type=\"string\" string=\"%msg%\")
template(name=\"lines\" type=\"string\" string=\"%rawmsg%\\n\")"
    cat >"$work/rsyslog.conf" <<CONF
$preamble
module(load="imfile")
module(load="omkafka")
input(type="imfile" File="$work/in" Tag="shipped" ruleset="ship")
ruleset(name="ship") {
    action(type="omkafka" broker=["$bootstrap"] topic="$topic-rsyslog" template="line"
        partitions.auto="on" resubmitOnFailure="on" confParam=["compression.codec=lz4"])
}
CONF
    begin rsyslog rsyslogd -M "$rsyslog_modules" -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid"
    arrived rsyslog
    end
    [ -n "$groups" ] || return 0
    cat >"$work/imkafka.conf" <<CONF
$preamble
module(load="imkafka")
input(type="imkafka" topic="$topic-rsyslog" broker=["$bootstrap"] consumergroup="$topic-rsyslog"
    confParam=["auto.offset.reset=earliest"] ruleset="back")
ruleset(name="back") { action(type="omfile" file="$work/back" template="lines") }
CONF
    begin imkafka rsyslogd -M "$rsyslog_modules" -n -f "$work/imkafka.conf" -i "$work/rsyslog.pid"
    returned rsyslog
    end
}

ship_syslogng() {
    cat >"$work/syslog-ng.conf" <<CONF
@version: 3.38
source in { file("$work/in" flags(no-parse) follow-freq(1)); };
destination out { kafka-c(bootstrap-servers("$bootstrap") topic("$topic-syslogng") message("\$MESSAGE")
    config("compression.codec" => "gzip", "enable.idempotence" => "true") flush-timeout-on-shutdown(10000)); };
log { source(in); destination(out); flags(flow-control); };
CONF
    begin syslogng syslog-ng -F --no-caps -f "$work/syslog-ng.conf" -R "$work/syslog-ng.persist" \
        -p "$work/syslog-ng.pid" -c "$work/syslog-ng.ctl"
    arrived syslogng
    end
}

ship_collectd() {
    cat >"$work/collectd.conf" <<CONF
Hostname "shipper"
Interval 0.1
BaseDir "$work"
LoadPlugin load
LoadPlugin write_kafka
<Plugin write_kafka>
    Property "bootstrap.servers" "$bootstrap"
    <Topic "$topic-collectd">
        Format JSON
        Key "shipper"
    </Topic>
</Plugin>
CONF
    begin collectd collectd -f -C "$work/collectd.conf" -P "$work/collectd.pid"
    local try
    for try in $(seq 100); do
        kcat -b "$bootstrap" -Q -t "$topic-collectd:0:-1" 2>/dev/null | grep -Eq 'offset [2-9][0-9]$' && break
        sleep 0.2
    done
    timeout 60 kcat -q -b "$bootstrap" -t "$topic-collectd" -p 0 -C -o beginning -c 20 -f '%k %s\n' >"$work/out"
    [ "$(grep -c '^shipper \[{"values":\[.*"plugin":"load"' "$work/out")" = 20 ] ||
        fail "collectd: $(wc -l <"$work/out") records, or not of the load"
    equal=$((equal + 1))
    end
}

ship_telegraf() {
    cat >"$work/telegraf.conf" <<CONF
[agent]
  interval = "200ms"
  flush_interval = "200ms"
  metric_buffer_limit = 100000
  omit_hostname = true
[[inputs.tail]]
  files = ["$work/in"]
  from_beginning = true
  watch_method = "poll"
  data_format = "value"
  data_type = "string"
[[outputs.kafka]]
  brokers = ["$bootstrap"]
  topic = "$topic-telegraf"
  compression_codec = 2
  required_acks = -1
  idempotent_writes = true
  data_format = "template"
  template = '{{ .Field "value" }}'
CONF
    begin telegraf telegraf --config "$work/telegraf.conf"
    arrived telegraf
    end
}

declare -A command=([rsyslog]=rsyslogd [syslogng]=syslog-ng [collectd]=collectd [telegraf]=telegraf)
[ $# -gt 0 ] || set -- rsyslog syslogng collectd telegraf
done=()
for shipper in "$@"; do
    if ! command -v "${command[$shipper]}" >/dev/null; then
        echo "shippers: skipped: $shipper: ${command[$shipper]} is not installed"
        continue
    fi
    started=$SECONDS
    "ship_$shipper"
    echo "shippers: $shipper: $((SECONDS - started)) s"
    done+=("$shipper")
done
echo "shippers: ${done[*]}: $equal comparisons equal"
