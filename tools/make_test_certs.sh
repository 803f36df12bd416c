#!/bin/sh
# Makes test/support/certs.cpp: the certificates and keys that tests embed. Run it
# from the top of the tree when certs.h asks for another one; the result is kept
# in the tree, because every run makes new keys. Needs openssl 3.
set -eu

top=$(pwd)
out=$top/test/support/certs.cpp
[ -f "$top/test/support/certs.h" ] || { echo "run this from the top of the tree" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

long='-startdate 20200101000000Z -enddate 21200101000000Z'

ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"${2:-P-256}" -out "$1.key" 2>/dev/null; }
rsa() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:"$2" -out "$1.key" 2>/dev/null; }

# sign NAME ISSUER "DATES" HASH "EXTENSIONS": NAME.key, signed by ISSUER (itself: self-signed).
sign() {
  name=$1 issuer=$2 dates=$3 hash=$4 extensions=$5
  rm -rf ca && mkdir ca && : >ca/index && openssl rand -hex 8 >ca/serial
  {
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca/index\nserial=ca/serial\nnew_certs_dir=ca\npolicy=p\nunique_subject=no\n'
    printf '[p]\ncommonName=supplied\nuserId=optional\n[e]\n%b\n[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=%s\n' \
      "$extensions" "${subject:-$name}"
    if [ -n "${uid:-}" ]; then printf 'UID=%s\n' "$uid"; fi
  } >conf
  openssl req -new -key "$name.key" -config conf -out "$name.csr" 2>/dev/null
  if [ "$issuer" = "$name" ]; then by="-selfsign -keyfile $name.key"; else by="-cert $issuer.crt -keyfile $issuer.key"; fi
  # shellcheck disable=SC2086
  openssl ca -batch -notext -config conf $by $dates -md "$hash" -extensions e -in "$name.csr" -out "$name.crt" 2>/dev/null
}

authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
usage='basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment'
server="$usage\\nextendedKeyUsage=serverAuth"
names='subjectAltName=DNS:api.push.example.org,DNS:localhost,DNS:*.wild.example.org,IP:127.0.0.1,IP:::1,IP:10.0.0.1'

# Elliptic curves.
ec ec_root; sign ec_root ec_root "$long" sha256 "$authority"
ec ec_leaf; sign ec_leaf ec_root "$long" sha256 "$server\\n$names"
ec other_root; sign other_root other_root "$long" sha256 "$authority"
ec ec_p384_root P-384; sign ec_p384_root ec_p384_root "$long" sha384 "$authority"
ec ec_p384_leaf P-384; sign ec_p384_leaf ec_p384_root "$long" sha384 "$server\\n$names"

# What must be refused, all with the same names.
ec expired; sign expired ec_root '-startdate 20200101000000Z -enddate 20210101000000Z' sha256 "$server\\n$names"
ec future; sign future ec_root '-startdate 21190101000000Z -enddate 21200101000000Z' sha256 "$server\\n$names"
ec unknown; sign unknown other_root "$long" sha256 "$server\\n$names"
ec selfsigned; sign selfsigned selfsigned "$long" sha256 "$server\\n$names"
ec nosan; subject=api.push.example.org sign nosan ec_root "$long" sha256 "$server"
ec wide; sign wide ec_root "$long" sha256 "$server\\nsubjectAltName=DNS:*,DNS:*.org,DNS:w*.example.org,DNS:*.*.example.org"
ec clientonly; sign clientonly ec_root "$long" sha256 "$usage\\nextendedKeyUsage=clientAuth\\n$names"
ec weakhash; sign weakhash ec_root "$long" sha1 "$server\\n$names"
rsa weakkey 1024; sign weakkey ec_root "$long" sha256 "$server\\n$names"
ec old_root; sign old_root old_root '-startdate 20200101000000Z -enddate 20210101000000Z' sha256 "$authority"
ec old_rooted; sign old_rooted old_root "$long" sha256 "$server\\n$names"

# RSA with an intermediate, and the largest chain that may be expected: three of 4096 bits.
rsa rsa_root 2048; sign rsa_root rsa_root "$long" sha256 "$authority"
rsa rsa_middle 2048; sign rsa_middle rsa_root "$long" sha256 "$authority"
rsa rsa_leaf 2048; sign rsa_leaf rsa_middle "$long" sha256 "$server\\n$names"
rsa big_root 4096; sign big_root big_root "$long" sha384 "$authority"
rsa big_upper 4096; sign big_upper big_root "$long" sha384 "$authority"
rsa big_lower 4096; sign big_lower big_upper "$long" sha384 "$authority"
rsa big_leaf 4096; sign big_leaf big_lower "$long" sha384 "$server\\n$names"

# Certificates that a gateway shows to Apple, as Apple makes them: the bundle id in the subject, topics in an extension.
apple="$usage\\nextendedKeyUsage=clientAuth\\n1.2.840.113635.100.6.3.1=ASN1:NULL"
topics='1.2.840.113635.100.6.3.6=ASN1:SEQUENCE:topics\n[topics]\na=UTF8:org.example.siskin\nb=SEQUENCE:app\n'
topics="$topics"'c=UTF8:org.example.siskin.voip\nd=SEQUENCE:voip\n[app]\na=UTF8:app\n[voip]\na=UTF8:voip'
ec push_root; sign push_root push_root "$long" sha256 "$authority"
rsa push_rsa 2048; uid=org.example.siskin; sign push_rsa push_root "$long" sha256 "$apple\\n$topics"; uid=
ec push_ec; sign push_ec push_root "$long" sha256 "$apple"
ec push_expired; sign push_expired push_root '-startdate 20200101000000Z -enddate 20210101000000Z' sha256 "$apple"

# Keys for signing.
ec push_key_1
ec push_key_2
ec p384_key P-384
rsa rsa_key 2048
openssl genpkey -algorithm ED25519 -out ed25519_key.key
openssl ec -in push_key_1.key -out sec1_key.key 2>/dev/null
openssl pkcs8 -topk8 -in push_key_1.key -passout pass:example -out encrypted_key.key
openssl ec -in push_key_1.key -aes128 -passout pass:example -out encrypted_sec1_key.key 2>/dev/null
openssl pkey -in push_key_1.key -pubout -out public_key.key
# RFC 6979 A.2.5: the private key of the P-256 vectors, with its public point.
cat >rfc6979 <<'EOF'
asn1=SEQUENCE:key
[key]
version=INTEGER:1
private=FORMAT:HEX,OCTETSTRING:C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
curve=EXPLICIT:0,OID:prime256v1
public=EXPLICIT:1,FORMAT:HEX,BITSTRING:0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
EOF
openssl asn1parse -genconf rfc6979 -noout -out rfc6979.der
openssl ec -inform DER -in rfc6979.der -out rfc6979_key.key 2>/dev/null
# The private half of one key with the public half of another.
point=$(openssl ec -in push_key_1.key -pubout -outform DER 2>/dev/null | tail -c 65 | od -An -tx1 | tr -d ' \n')
private=$(openssl ec -in push_key_2.key -outform DER 2>/dev/null | dd bs=1 skip=7 count=32 2>/dev/null | od -An -tx1 | tr -d ' \n')
sed -e "s/OCTETSTRING:.*/OCTETSTRING:$private/" -e "s/BITSTRING:.*/BITSTRING:$point/" rfc6979 >mixed
openssl asn1parse -genconf mixed -noout -out mixed.der
{ echo '-----BEGIN EC PRIVATE KEY-----'; openssl base64 -in mixed.der; echo '-----END EC PRIVATE KEY-----'; } >mixed_key.key

text() {  # text NAME FILE...: one constant
  printf 'const char* const %s =\n' "$1"
  shift
  cat "$@" | sed 's/.*/    "&\\n"/' | sed '$s/$/;/'
  echo
}
{
  echo '// Made by tools/make_test_certs.sh. The keys guard nothing: they are public.'
  echo '#include "test/support/certs.h"'
  echo
  echo '// clang-format off'
  echo 'namespace tocsin::test {'
  echo
  for name in ec_root other_root ec_p384_root old_root rsa_root big_root push_root; do text "cert_$name" "$name.crt"; done
  for name in ec_leaf ec_p384_leaf expired future unknown selfsigned nosan wide clientonly weakhash weakkey old_rooted \
    push_rsa push_ec push_expired; do
    text "cert_$name" "$name.crt"
    text "key_$name" "$name.key"
  done
  text chain_rsa rsa_leaf.crt rsa_middle.crt
  text key_rsa_leaf rsa_leaf.key
  text chain_big big_leaf.crt big_lower.crt big_upper.crt
  text key_big_leaf big_leaf.key
  for name in push_key_1 push_key_2 p384_key rsa_key ed25519_key sec1_key encrypted_key encrypted_sec1_key public_key \
    rfc6979_key mixed_key; do
    text "$name" "$name.key"
  done
  echo '}  // namespace tocsin::test'
} >"$out"
