# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab status: what stands, and who holds which VIP.

verb_status() {
  [[ $# == 0 || ($# == 1 && $1 == --json) ]] || fail "status takes --json or nothing"
  require_lab
  if (($# == 1)); then
    status_json | jq .
  else
    status_json | status_text
  fi
}

status_json() {
  local machine rows=() vips=() pair address interface
  for machine in $MACHINES; do
    rows+=("$(machine_json "$machine")")
  done
  for ((pair = 1; pair <= PAIRS; ++pair)); do
    while read -r address interface; do
      vips+=("$(vip_json "$address" "$interface" "$pair")")
    done < <(vips_of "$pair")
  done
  jq -n --arg lab "$LAB" --arg share "$STATE/share" \
    --argjson machines "$(printf '%s\n' "${rows[@]}" | jq -s .)" \
    --argjson vips "$(printf '%s\n' "${vips[@]}" | jq -s .)" \
    --arg address "$FRONT_VIP" --arg address6 "$FRONT_VIP6" --argjson port "$FARM_PORT" --argjson probe "$PROBE_PORT" \
    '{lab: $lab, machines: $machines, vips: $vips,
      farm: {address: $address, address6: $address6, port: $port, probe_port: $probe}, share: $share}'
}

machine_json() {
  local machine=$1 power=killed addresses='[]'
  if is_up "$machine"; then
    power=up
    addresses=$(ip -n "$(netns_of "$machine")" -j addr show 2>/dev/null | jq -c '[.[] | select(.ifname != "lo") | .addr_info[] | select(.scope == "global") | .local]')
  fi
  jq -n -c --arg name "$machine" --arg state "$power" --arg address "$(address_of "$machine")" \
    --argjson addresses "$addresses" '{name: $name, state: $state, address: $address, addresses: $addresses}'
}

# "holder" is null when nobody holds it; "holders" has them all, and should never have two.
vip_json() {
  vip_holders "$1" "$2" | jq -R . | jq -s -c --arg address "$1" --arg interface "$2" --argjson pair "$3" \
    '{address: $address, interface: $interface, pair: $pair, holder: .[0], holders: .}'
}

status_text() {
  jq -r '
    "lab \(.lab)", "",
    (.machines[] | "  \(.name | . + " " * (10 - length))\(.state | . + " " * (8 - length))\(.addresses | join(" "))"), "",
    (.vips[] | "  VIP \(.address | . + " " * (14 - length))\(.interface | . + " " * (7 - length))\(if .holders == [] then "nobody" else .holders | join(" AND ") end)"), "",
    "  farm \(.farm.address):\(.farm.port) and [\(.farm.address6)]:\(.farm.port), probe over UDP at port \(.farm.probe_port)"'
}
