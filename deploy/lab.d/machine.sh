# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine: namespaces, a control group to end it at once, and a first process of its own.

# Where control groups of version 2 are, which alone can be killed as one.
cgroup_root() {
  local mount
  mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [[ -n $mount ]] || fail "no cgroup2 is mounted; mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
  printf '%s' "$mount"
}

cgroup_of() { printf '%s/zlab-%s/%s' "$(cgroup_root)" "$LAB" "$1"; }

is_up() {
  local group
  group=$(cgroup_of "$1")
  [[ -f $group/cgroup.events ]] && grep -q '^populated 1' "$group/cgroup.events"
}

require_up() {
  require_machine "$1"
  require_lab
  is_up "$1" || fail "machine '$1' is switched off; boot it: deploy/lab revive $1"
}

# Everything between a cold machine and a running first process; services come after (node.sh).
boot_machine() {
  local machine=$1 group disk=$STATE/$1
  group=$(cgroup_of "$machine")
  mkdir -p "$group" "$disk"/{bin,etc/zcluster,etc/haproxy,lib/zcluster,log/zcluster}
  chmod 0700 "$disk/etc/zcluster" "$disk/lib/zcluster"
  rm -f "$disk/ready" "$disk/pid"
  plug_in "$machine"
  restore_cuts "$machine"
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec env -i PATH="$INSIDE_PATH" setsid nsenter --net="/run/netns/$(netns_of "$machine")" -- \
      unshare --mount --uts --pid --fork "$LAB_SOURCE/deploy/lab.d/init" "$machine" "$disk" "$BUILD/bin"
  ) </dev/null >>"$disk/boot.log" 2>&1 9>&- &
  disown
  wait_for 10 "'$machine' to boot" test -e "$disk/ready" || fail "'$machine' did not boot: $(tail -n 3 "$disk/boot.log")"
  first_process "$group" >"$disk/pid"
}

# The process of the group that calls itself 1.
first_process() {
  local pid
  while read -r pid; do
    if awk '/^NSpid:/ { exit !(NF > 2 && $NF == 1) }' "/proc/$pid/status" 2>/dev/null; then
      echo "$pid"
      return
    fi
  done <"$1/cgroup.procs"
  fail "a machine lost its first process while it booted; see boot.log under $STATE"
}

# A power cut: nothing more is heard of the machine, then all its processes end at once, and its
# network with whatever it held (connections, rules, addresses) is gone. The disks stay.
power_off() {
  local machine=$1 group
  group=$(cgroup_of "$machine")
  links_down "$machine"
  end_group "$group"
  unplug "$machine"
  rm -f "$STATE/$machine/pid"
}

end_group() {
  local group=$1
  [[ -d $group ]] || return 0
  echo 1 >"$group/cgroup.kill" 2>/dev/null || true
  wait_for 10 "the processes of ${group##*/} to end" group_is_empty "$group" || true
  rmdir "$group" 2>/dev/null || true
}

group_is_empty() { ! grep -q '^populated 1' "$1/cgroup.events" 2>/dev/null; }

# inside MACHINE COMMAND...: replaces this shell by the command, run as an operator there would.
inside() {
  local machine=$1 pid tty=()
  shift
  pid=$(<"$STATE/$machine/pid")
  [[ -z ${TERM:-} ]] || tty=("TERM=$TERM")
  echo "$BASHPID" >"$(cgroup_of "$machine")/cgroup.procs"
  exec env -i "${tty[@]}" HOME=/root LANG=C.UTF-8 USER=root PATH="$INSIDE_PATH" \
    nsenter --target "$pid" --mount --uts --pid --net --wd=/root -- "$@"
}

# in_machine MACHINE COMMAND...: the same in a shell of its own, which returns.
in_machine() { (inside "$@" 9>&-); }

# Everything of this lab that is found, whole or in parts, by its names alone: whoever made it may have
# been killed in the middle.
clear_leftovers() {
  local root group netns
  root=$(cgroup_root)/zlab-$LAB
  for group in "$root"/*/; do
    [[ ! -d $group ]] || end_group "${group%/}"
  done
  [[ ! -d $root ]] || rmdir "$root" 2>/dev/null || true
  for netns in "/run/netns/zlab-$LAB-"*; do
    [[ ! -e $netns ]] || ip netns del "${netns##*/}" 2>/dev/null || true
  done
  # Mounts live and die with the machines; a mount point that still lies here is a plain directory.
  rm -rf --one-file-system "$STATE"
}
