# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The identities of a pair, as cluster creation will make them: a CA, and a certificate per node whose
# only name is the URI zcluster://PAIR/node/NODE. And bad ones, for the tests.

# make_ca DIRECTORY NAME
make_ca() {
  mkdir -p "$1"
  chmod 0700 "$1"
  new_key "$1/ca.key"
  openssl req -x509 -new -key "$1/ca.key" -out "$1/ca.crt" -days 3650 -subj "/CN=$2" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# PKCS#8, ECDSA P-256.
new_key() {
  (umask 077 && openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null)
}

# make_certificate NODE CA NAME valid|expired: into the node's own directory, for the node called NAME,
# signed by the lab's CA of that name, which is made if it is not there.
make_certificate() {
  local node=$1 ca=$STATE/ca/$2 name=$3 validity=$4 tls=$STATE/$1/etc/zcluster/tls from to
  [[ -f $ca/ca.crt ]] || make_ca "$ca" "zcluster lab CA $2"
  mkdir -p "$tls"
  chmod 0700 "$tls"
  from=20200101000000Z to=20200102000000Z
  if [[ $validity == valid ]]; then
    from=$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)
    to=$(date -u -d '1 year' +%Y%m%d%H%M%SZ)
  fi
  new_key "$tls/node.key.new"
  openssl req -new -key "$tls/node.key.new" -subj "/CN=$name" -out "$ca/$node.csr"
  # `openssl ca` alone can make a certificate whose time is over; it wants its books kept.
  : >"$ca/index.txt"
  ca_settings "$ca" "$(pair_name "$(pair_of "$node")")" "$name" >"$ca/ca.cnf"
  openssl ca -batch -notext -config "$ca/ca.cnf" -startdate "$from" -enddate "$to" \
    -in "$ca/$node.csr" -out "$tls/node.crt.new" 2>"$ca/log" || fail "no certificate for '$node': $(tail -n 2 "$ca/log")"
  mv "$tls/node.key.new" "$tls/node.key"
  mv "$tls/node.crt.new" "$tls/node.crt"
  [[ $2 == foreign ]] || cp "$ca/ca.crt" "$tls/ca.crt"
}

ca_settings() {
  cat <<CNF
[ca]
default_ca = lab
[lab]
database = $1/index.txt
new_certs_dir = $1
certificate = $1/ca.crt
private_key = $1/ca.key
default_md = sha256
policy = any
x509_extensions = leaf
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = URI:zcluster://$2/node/$3
CNF
}

verb_certificate() {
  local node=${1:-} name ca validity=valid
  require_node "$node"
  require_lab
  shift
  name=$node
  ca=$(pair_name "$(pair_of "$node")")
  while (($# > 0)); do
    case $1 in
      --expired) validity=expired ;;
      --foreign) ca=foreign ;;
      --name) name=${2:?--name wants a name} && shift ;;
      *) fail "certificate: no flag '$1'; see: deploy/lab help" ;;
    esac
    shift
  done
  lock_lab
  make_certificate "$node" "$ca" "$name" "$validity"
  say "'$node' has a certificate for '$name', $validity, signed by the CA '$ca'; restart its agent to use it at once"
}
