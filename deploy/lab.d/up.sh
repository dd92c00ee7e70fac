# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab up: a lab from nothing, ready when it returns.

verb_up() {
  local started flags
  LAB_ADVERT=100ms LAB_FAILBACK=KEEP LAB_REPLICATE=true LAB_RAW=no LAB_PRIORITIES=254/250 LAB_CATALOGUE='' LAB_BARE=no LAB_PAIRS=1 LAB_CONTROLLER=no LAB_CONNTRACKD=no LAB_MULTICAST=no
  while (($# > 0)); do
    case $1 in
      --advert) LAB_ADVERT=${2:?--advert wants an interval} && shift ;;
      --failback) LAB_FAILBACK=${2:?--failback wants KEEP or PREFERRED} && shift ;;
      --no-replication) LAB_REPLICATE=false ;;
      --raw) LAB_RAW=yes ;;
      --multicast) LAB_MULTICAST=yes ;;
      --conntrackd) LAB_CONNTRACKD=yes ;;
      --bare) LAB_BARE=yes ;;
      --pairs) LAB_PAIRS=${2:?--pairs wants a number} && shift ;;
      --controller) LAB_CONTROLLER=yes ;;
      --priorities) LAB_PRIORITIES=${2:?--priorities wants two, as 254/250} && shift ;;
      --catalogue) LAB_CATALOGUE=$(realpath "${2:?--catalogue wants a file}") && shift ;;
      *) fail "up: no flag '$1'; see: deploy/lab help" ;;
    esac
    shift
  done
  [[ $LAB_RAW == no || $LAB_BARE == no ]] || fail "--bare has an agent on each node, --raw has none: one of them"
  [[ $LAB_PAIRS =~ ^[1-$MOST_PAIRS]$ ]] || fail "--pairs wants 1 to $MOST_PAIRS, not '$LAB_PAIRS'"
  [[ $LAB_CONNTRACKD == no || $LAB_RAW == yes ]] || fail "--conntrackd goes with --raw: agents replicate connections themselves"
  [[ $LAB_RAW == no || $LAB_CONTROLLER == no ]] || fail "--raw has no agents that a controller could see"
  [[ $LAB_PAIRS == 1 || $LAB_RAW$LAB_BARE == nono ]] || fail "--pairs wants agents that are in pairs: neither --raw nor --bare"
  [[ $LAB_PRIORITIES =~ ^[0-9]+/[0-9]+$ ]] || fail "--priorities wants two numbers, as 254/250"
  seconds_of "$LAB_ADVERT" >/dev/null
  started=$(now_ms)
  have_programs
  lock_lab
  [[ ! -d $STATE ]] || say "there is a lab '$LAB' already, or what is left of one; raising it anew"
  clear_leftovers
  trap 'say "stopped; clearing up"; clear_leftovers; exit 130' INT TERM
  mkdir -p "$STATE/share"
  chmod 1777 "$STATE/share"
  set_machines "$LAB_PAIRS" "$LAB_CONTROLLER"
  declare -p LAB_ADVERT LAB_FAILBACK LAB_REPLICATE LAB_RAW LAB_PRIORITIES LAB_CATALOGUE LAB_BARE LAB_PAIRS LAB_CONTROLLER LAB_CONNTRACKD LAB_MULTICAST | sed 's/^declare --/declare -g/' >"$STATE/lab.conf"
  raise_machines
  wait_until_ready
  flags="advert $LAB_ADVERT"
  [[ $LAB_MULTICAST == no ]] || flags+=" by multicast"
  [[ $LAB_RAW == no ]] || flags+=", raw keepalived $LAB_PRIORITIES"
  [[ $LAB_CONNTRACKD == no ]] || flags+=" with conntrackd"
  [[ $LAB_BARE == no ]] || flags="bare nodes, in no pair"
  [[ $LAB_REPLICATE == true ]] || flags+=", no replication"
  [[ $LAB_PAIRS == 1 ]] || flags+=", $LAB_PAIRS pairs"
  [[ $LAB_CONTROLLER == no ]] || flags+=", a controller"
  say "lab '$LAB' is up ($flags)$(since "$started")"
}

# The programs that the machines run; built if this tree has not got them.
have_programs() {
  local wanted="zlab-traffic" program missing=
  [[ $LAB_RAW == yes ]] || wanted+=" zagent zctl"
  [[ $LAB_CONTROLLER == no ]] || wanted+=" zcontroller"
  for program in $wanted; do
    [[ -x $BUILD/bin/$program ]] || missing+=" $program"
  done
  [[ -n $missing ]] || return 0
  # shellcheck source=/dev/null
  . "$LAB_SOURCE/deploy/lab.d/install.sh"
  # shellcheck source=/dev/null
  . "$LAB_SOURCE/deploy/lab.d/build.sh"
  say "building$missing in $BUILD"
  install_packages || fail "packages are missing; see above"
  build_tree "$LAB_SOURCE" "$BUILD" "$missing" || fail "the build failed; see above"
}

raise_machines() {
  local machine
  make_switch
  for machine in $NODES; do
    write_node_files "$machine"
  done
  ! has_controller || write_controller_files
  for machine in $MACHINES; do
    boot_machine "$machine"
  done
  if has_controller; then
    start_services controller
    write_tokens
  fi
  for machine in backend1 backend2 client $NODES; do
    start_services "$machine"
  done
}
