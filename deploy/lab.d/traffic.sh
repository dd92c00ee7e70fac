# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Traffic of the client, steered and read by name: for the demo and the benchmarks.

report_of() { printf '%s/share/%s.json' "$STATE" "$1"; }

# traffic_start NAME VERB FLAGS...: returns once it has begun, and every connection of `hold` stands.
traffic_start() {
  local name=$1
  shift
  rm -f "$(report_of "$name")"
  spawn client "/var/log/$name.log" zlab-traffic "$@" --report "$(report_of "$name")"
  wait_for 20 "the traffic '$name' to begin" traffic_says "$name" '.ready != false' ||
    fail "zlab-traffic $*: $(in_machine client tail -n 3 "/var/log/$name.log")"
}

# traffic_says NAME CONDITION: whether jq's condition holds for the last report.
traffic_says() { jq -e "$2" "$(report_of "$1")" >/dev/null 2>&1; }

# traffic_value NAME FIELD
traffic_value() { jq -r ".$2" "$(report_of "$1")"; }

traffic_signal() { in_machine client kill "-$2" "$(traffic_value "$1" pid)"; }

# A fresh report; with USR2 as second word also a mark.
traffic_ask() {
  local number
  number=$(traffic_value "$1" report)
  traffic_signal "$1" "${2:-USR1}"
  wait_for 10 "a report of the traffic '$1'" traffic_says "$1" ".report > $number"
}

traffic_mark() { traffic_ask "$1" USR2; }

# traffic_now_says NAME CONDITION: the same as traffic_says, asked afresh.
traffic_now_says() { traffic_ask "$1" && traffic_says "$1" "$2"; }

traffic_stop() {
  traffic_signal "$1" TERM
  wait_for 20 "the traffic '$1' to end" traffic_says "$1" .final
}
