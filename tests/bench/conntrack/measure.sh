# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The measurements. Each takes one sample of one side, on fresh nodes, and notes it; or notes that it failed, when the two
# kernels' tables are not the same in the end.

# note METRIC VALUE: a sample of the side that is up; VALUE "failed" is one, too.
note() {
  local value=$2
  [[ $value != failed ]] || value=null
  jq -n -c --arg metric "$1" --arg side "$SIDE" --argjson value "$value" '{metric: $metric, side: $side, value: $value}' >>"$SAMPLES"
  say "  $1 $SIDE: $2"
}

# flows VERB NODE FLAGS...: what makes flows, with the precedence that packets have.
flows() { nice -n -15 "$FLOWS" "$1" "$(netns_of "$2")" "${@:3}"; }

fill() { flows entries a --count "$1" >/dev/null; }

now() { echo "${EPOCHREALTIME/./}"; }
calc() { awk "BEGIN { printf \"%.10g\", $1 }"; }
since() { calc "($(now) - $1) / 1e6"; }

# arrived COUNT MS: b has so many flows within so many milliseconds: in its kernel, or, cached, in its program.
arrived() {
  local end=$(($(now) + $2 * 1000))
  if [[ $SIDE == cached ]]; then
    until caches b external "$1"; do
      (($(now) < end)) || return 1
    done
    return 0
  fi
  [[ $("$FLOWS" await "$(netns_of b)" --count "$1" --seconds "$(calc "$2 / 1000")") == *true* ]]
}

# same COUNT: both kernels have so many flows, and the same.
same() {
  local result
  [[ $SIDE != cached ]] || return 0
  result=$("$FLOWS" compare "$(netns_of a)" "$(netns_of b)" --seconds 1)
  [[ $(jq --argjson count "$1" '.equal and .first == $count' <<<"$result") == true ]] && return 0
  say "    tables differ: $result"
  return 1
}

# Events that the kernel had no room for.
# shellcheck disable=SC2016 # awk's own
overruns() { in_node a awk '$2 == 12 { lost += $9 } END { print lost + 0 }' /proc/net/netlink; }

cpu_seconds() {
  local node ticks=0
  for node in "$@"; do
    ticks=$((ticks + $(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${PID[$node]}/stat")))
  done
  calc "$ticks / $(getconf CLK_TCK)"
}

resident_mib() {
  local node kib=0
  for node in a b; do
    kib=$((kib + $(awk '/^VmRSS/ { print $2 }' "/proc/${PID[$node]}/status")))
  done
  calc "$kib / 1024"
}

wire_bytes() { ip -n "$(netns_of a)" -s -j link show wire | jq '.[0].stats64 | .rx.bytes + .tx.bytes'; }

# -- the highest rate

# try_rate LOAD RATE SECONDS: makes flows for so long, at a rate (0: flat out); whether b had them all soon after. RATE_GOT is the rate that it was.
try_rate() {
  local load=$1 rate=$2 seconds=$3 count expected lost=0 converged=yes
  raise_side "$SIDE"
  connect_side
  count=$(calc "int(${rate/#0/150000} * $seconds)")
  expected=$count
  [[ $load != churn ]] || expected=$LIVE
  RATE_GOT=$(flows "$load" a --count "$count" --rate "$rate" | jq .rate)
  arrived "$expected" "$CATCH_UP" || converged=no
  [[ $converged == no ]] || same "$expected" || converged=no
  lost=$(overruns)
  ((lost == 0)) || converged=no
  say "    $load $SIDE: asked for $rate/s, got $RATE_GOT/s, overruns $lost: converged: $converged"
  [[ $converged == yes ]]
}

# search_rate METRIC LOAD SIDE TRIALS SECONDS: flat out first, which is the most that there can be; then by halves. A later
# round begins where the one before ended.
search_rate() {
  local metric=$1 load=$2 trials=$4 seconds=$5 low high middle best=0 i
  SIDE=$3
  local known=${BEST[$metric.$3]:-0}
  if ((known > 0)); then
    low=$((known * 8 / 10)) high=$((known * 5 / 4))
  elif try_rate "$load" 0 "$seconds"; then
    best=$RATE_GOT low=$RATE_GOT high=$RATE_GOT
  else
    low=$((RATE_GOT / 8)) high=$RATE_GOT
  fi
  for ((i = 0; i < trials && low * 107 / 100 < high; ++i)); do
    middle=$(calc "int(sqrt($low * $high))")
    if try_rate "$load" "$middle" "$seconds"; then
      ((RATE_GOT <= best)) || best=$RATE_GOT
      ((RATE_GOT * 10 >= middle * 9)) || break # it cannot be made faster
      low=$middle
    else
      high=$middle
    fi
  done
  ((best > 0)) || ! try_rate "$load" "$low" "$seconds" || best=$RATE_GOT
  if ((best > 0)); then
    BEST[$metric.$3]=$best
    note "$metric" "$best"
  else
    note "$metric" failed
  fi
}
declare -A BEST=()
RATE_GOT=0

# -- at a given rate

# steady SIDE RATE SECONDS: CPU of both programs, of the maker, and bytes on the wire.
steady() {
  local rate=$2 seconds=$3 count made cpu=0 bytes=0
  raise_side "$1"
  connect_side
  count=$((rate * seconds))
  if [[ $SIDE != none ]]; then
    cpu=$(cpu_seconds a b)
    bytes=$(wire_bytes)
  fi
  made=$(flows packets a --count "$count" --rate "$rate")
  if [[ $SIDE == none ]]; then
    note "maker_cpu_$rate" "$(jq .cpu_us <<<"$made")"
    return 0
  fi
  if ! arrived "$count" 3000 || ! same "$count"; then
    note "cpu_per_million_events_$rate" failed
    note "wire_bytes_per_event_$rate" failed
    note "maker_cpu_$rate" failed
    return 0
  fi
  note "maker_cpu_$rate" "$(jq .cpu_us <<<"$made")"
  note "cpu_per_million_events_$rate" "$(calc "($(cpu_seconds a b) - $cpu) * 1e6 / $count")"
  note "wire_bytes_per_event_$rate" "$(calc "($(wire_bytes) - $bytes) / $count")"
}

# latency SIDE RATE SECONDS SUFFIX
latency() {
  local rate=$2 seconds=$3 suffix=$4 count result
  raise_side "$1"
  connect_side
  count=$((rate * seconds))
  result=$(nice -n -15 "$FLOWS" latency "$(netns_of a)" "$(netns_of b)" --count "$count" --rate "$rate")
  if [[ $(jq '.made == .arrived' <<<"$result") == true ]] && same "$count"; then
    note "latency_p50$suffix" "$(jq .p50 <<<"$result")"
    note "latency_p99$suffix" "$(jq .p99 <<<"$result")"
  else
    say "    $result"
    note "latency_p50$suffix" failed
    note "latency_p99$suffix" failed
  fi
}

# A job beside that wants every core all the time.
beside_a_job() {
  local core
  for ((core = 0; core < $(nproc); ++core)); do
    (while :; do :; done) &
    JOBS+=("$!")
  done
  "$@"
  end_jobs
}

end_jobs() {
  ((${#JOBS[@]} > 0)) || return 0
  kill "${JOBS[@]}" 2>/dev/null || true
  wait "${JOBS[@]}" 2>/dev/null || true
  JOBS=()
}
JOBS=()

# What one listener alone hears, that naps as ours does; the rate at which packets make flows meanwhile.
heard_alone() {
  local count=400000 heard rate
  raise_side none
  : >"$WORK/listener"
  nice -n -15 "$FLOWS" listen "$(netns_of a)" --count "$count" --seconds 20 >"$WORK/heard" 2>"$WORK/listener" &
  JOBS=("$!")
  wait_for 5 "the listener" grep -q listening "$WORK/listener"
  rate=$(flows packets a --count "$count" | jq .rate)
  wait "${JOBS[@]}"
  JOBS=()
  heard=$(jq .heard "$WORK/heard")
  if ((heard == count)); then
    note heard_alone "$rate"
  else
    say "    $(<"$WORK/heard")"
    note heard_alone failed
  fi
}

# -- whole tables

# snapshot SIDE FLOWS SUFFIX: a has them, b nothing, both programs wait. Cached, a resync and then the commit.
snapshot() {
  local count=$2 suffix=$3 begun committed took
  raise_side "$1" "$count"
  case $SIDE in
    direct | cached) wait_for 60 "conntrackd to have read the kernel's table" caches a internal "$count" ;;
  esac
  begun=$(now)
  case $SIDE in
    ours) lead ;;
    *) conntrackd_ctl b -n ;;
  esac
  if ! arrived "$count" 30000; then
    say "    incomplete: $SIDE brought $(in_node b cat /proc/sys/net/netfilter/nf_conntrack_count) of $count"
    note "snapshot$suffix" failed
    return 0
  fi
  if [[ $SIDE == cached ]]; then
    note "rss$suffix" "$(resident_mib)"
    committed=$(now)
    conntrackd_ctl b -c
    wait_in_kernel "$count"
    note "promote$suffix" "$(since "$committed")"
    note "snapshot$suffix" "$(since "$begun")"
    return 0
  fi
  took=$(since "$begun")
  if ! same "$count"; then
    note "snapshot$suffix" failed
    return 0
  fi
  note "snapshot$suffix" "$took"
  note "rss$suffix" "$(resident_mib)"
  [[ $SIDE != ours ]] || promote "$count" "$suffix"
}

# The master dies, b is told to be master: until it is, and has every flow as the master had it.
promote() {
  local count=$1 suffix=$2 begun took end=$((SECONDS + 10))
  stop_program a
  begun=$(now)
  order b master 2
  until says b "master ordered" || ((SECONDS > end)); do :; done
  wait_in_kernel "$count"
  took=$(since "$begun")
  if same "$count"; then note "promote$suffix" "$took"; else note "promote$suffix" failed; fi
}

wait_in_kernel() { "$FLOWS" await "$(netns_of b)" --count "$1" --seconds 60 >/dev/null; }

# resident SIDE FLOWS SUFFIX: memory, after flows that came one by one, for one that cannot take them all at once.
resident() {
  raise_side "$1"
  connect_side
  flows entries a --count "$2" --rate 25000 >/dev/null
  if arrived "$2" 5000 && same "$2"; then note "rss$3" "$(resident_mib)"; else note "rss$3" failed; fi
}
