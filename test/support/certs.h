// Certificates and keys for tests, as PEM text ending in a zero. All leaves are
// for api.push.example.org, localhost, *.wild.example.org, 127.0.0.1, ::1 and
// 10.0.0.1 and, unless the name says otherwise, good from 2020 to 2120.
// tools/make_test_certs.sh makes certs.cpp.
#pragma once

namespace tocsin::test {

// Roots.
extern const char* const cert_ec_root;       // P-256, signs most of the leaves
extern const char* const cert_other_root;    // P-256, signs cert_unknown only
extern const char* const cert_ec_p384_root;  // P-384
extern const char* const cert_old_root;      // P-256, ended in 2021
extern const char* const cert_rsa_root;      // RSA-2048
extern const char* const cert_big_root;      // RSA-4096

// Chains that a server sends, leaf first, with the leaf's key.
extern const char* const cert_ec_leaf;  // P-256 under cert_ec_root
extern const char* const key_ec_leaf;
extern const char* const cert_ec_p384_leaf;  // P-384 under cert_ec_p384_root
extern const char* const key_ec_p384_leaf;
extern const char* const chain_rsa;  // RSA-2048 and one intermediate under cert_rsa_root
extern const char* const key_rsa_leaf;
extern const char* const chain_big;  // RSA-4096 and two intermediates under cert_big_root
extern const char* const key_big_leaf;

// Leaves with one fault each.
extern const char* const cert_expired;  // ended in 2021
extern const char* const key_expired;
extern const char* const cert_future;  // starts in 2119
extern const char* const key_future;
extern const char* const cert_unknown;  // signed by cert_other_root
extern const char* const key_unknown;
extern const char* const cert_selfsigned;
extern const char* const key_selfsigned;
extern const char* const cert_nosan;  // api.push.example.org as the subject's common name only
extern const char* const key_nosan;
extern const char* const cert_wide;  // wildcards only that do not count: *, *.org, w*.example.org, *.*.example.org
extern const char* const key_wide;
extern const char* const cert_clientonly;  // extended key usage: clients
extern const char* const key_clientonly;
extern const char* const cert_weakhash;  // signed with SHA-1
extern const char* const key_weakhash;
extern const char* const cert_weakkey;  // RSA-1024
extern const char* const key_weakkey;
extern const char* const cert_old_rooted;  // good, but under cert_old_root
extern const char* const key_old_rooted;

// Ours, towards a provider that asks for one, under cert_push_root.
extern const char* const cert_push_root;  // P-256
extern const char* const cert_push_rsa;   // RSA-2048; names org.example.siskin and org.example.siskin.voip
extern const char* const key_push_rsa;
extern const char* const cert_push_ec;  // P-256; names no topic
extern const char* const key_push_ec;
extern const char* const cert_push_expired;  // ended in 2021
extern const char* const key_push_expired;

// Keys for signing.
extern const char* const push_key_1;  // P-256, PKCS#8, as Apple's .p8
extern const char* const push_key_2;
extern const char* const sec1_key;  // push_key_1 as SEC1
extern const char* const p384_key;
extern const char* const rsa_key;
extern const char* const ed25519_key;
extern const char* const encrypted_key;       // push_key_1 in PKCS#8 behind a passphrase
extern const char* const encrypted_sec1_key;  // the same in the older form
extern const char* const public_key;          // of push_key_1
extern const char* const rfc6979_key;         // of the vectors of RFC 6979 A.2.5
extern const char* const mixed_key;           // private half of push_key_2, public half of push_key_1

}  // namespace tocsin::test
