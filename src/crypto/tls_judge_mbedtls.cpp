// What a certificate must be, and the words for what went wrong.
//
// Names: the library compares host names with the certificate's dNSName entries,
// a wildcard standing for one whole leftmost label (RFC 6125 §6.4.3). We add three
// rules: an address must be among the iPAddress entries (mbed TLS 2.28 can not
// compare those); a certificate without any subjectAltName is refused, where the
// library would fall back to the common name (RFC 9525 §2 ended that); and a
// wildcard directly under a top-level domain does not count.
#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509.h>

#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

const mbedtls_x509_crt_profile TlsJudge::profile = {
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    .allowed_pks = 0xfffffff,  // any that the library verifies: RSA, ECDSA
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    .rsa_min_bitlen = 2048,
};

static bool has_alternative_names(const mbedtls_x509_crt& certificate) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_x509_crt_has_ext_type(&certificate, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) != 0;
#else
  return (certificate.ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) != 0;
#endif
}

// Entries are raw: the tag's number says what kind, p and len are the value (RFC 5280, GeneralName).
static constexpr unsigned kind_dns = 2;
static constexpr unsigned kind_ip = 7;
static unsigned kind_of(const mbedtls_x509_sequence& name) {
  return static_cast<unsigned>(name.buf.tag) & MBEDTLS_ASN1_TAG_VALUE_MASK;
}
static ByteView value_of(const mbedtls_x509_sequence& name) { return {name.buf.p, name.buf.len}; }

bool TlsJudge::names_ip(const mbedtls_x509_crt& certificate, ByteView ip) {
  if (!has_alternative_names(certificate)) return false;
  for (const auto* name = &certificate.subject_alt_names; name != nullptr; name = name->next) {
    if (kind_of(*name) == kind_ip && same(value_of(*name), ip)) return true;
  }
  return false;
}

// The library has found an entry for host; is there one that we accept too? It takes "*.org" for example.org.
bool TlsJudge::names_host(const mbedtls_x509_crt& certificate, string_view host) {
  if (!has_alternative_names(certificate)) return false;
  for (const auto* name = &certificate.subject_alt_names; name != nullptr; name = name->next) {
    if (kind_of(*name) != kind_dns) continue;
    const string_view pattern = text_of(value_of(*name));
    if (same_ignoring_case(pattern, host)) return true;
    if (!starts_with(pattern, "*.")) continue;
    const string_view suffix = slice(pattern, 1);  // with its dot
    const size_t dot = host.find('.');
    if (dot == 0 || dot == string_view::npos || slice(suffix, 1).find('.') == string_view::npos) continue;
    if (same_ignoring_case(slice(host, dot), suffix)) return true;
  }
  return false;
}

// Days since 1970 of a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t TlsJudge::unix_time(const mbedtls_x509_time& t) {
  return days_from_civil(t.year, t.mon, t.day) * 86400 + t.hour * 3600 + t.min * 60 + t.sec;
}

int TlsJudge::look(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags) {
  auto& inside = *static_cast<TlsSession*>(context);
  if (depth > 0) {
    inside.chain_flags |= *flags;
    return 0;
  }
  const bool named = inside.ip_size > 0 ? names_ip(*certificate, {inside.ip, inside.ip_size})
                                        : names_host(*certificate, inside.host.view());
  if (!named) *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  inside.leaf_flags |= *flags;
  inside.self_signed = same({certificate->issuer_raw.p, certificate->issuer_raw.len},
                            {certificate->subject_raw.p, certificate->subject_raw.len});
  inside.ends = unix_time(certificate->valid_to);
  return 0;
}

// A sentence in the session's own room. The longest holds one host name (255 bytes) and fits.
class Sentence {
 public:
  explicit Sentence(char (&room)[400]) : room_(room), out_({reinterpret_cast<uint8_t*>(room), sizeof room - 1}) {}
  Sentence& operator<<(string_view words) {
    out_.text(words);
    return *this;
  }
  Writer& out() { return out_; }
  const char* done() {
    room_[out_.size()] = '\0';
    return room_;
  }

 private:
  char* room_;
  Writer out_;
};

// The first fault that matters: a clock that was never set makes all others doubtful,
// and a certificate by nobody we know may say what it likes.
static const char* certificate_problem(TlsSession& inside, uint32_t library_flags) {
  const uint32_t leaf = inside.leaf_flags;
  const uint32_t all = leaf | inside.chain_flags | library_flags;
  const auto apart = [leaf](uint32_t flag, const char* of_leaf, const char* of_chain) {
    return (leaf & flag) != 0 ? of_leaf : of_chain;
  };
  if ((all & MBEDTLS_X509_BADCERT_FUTURE) != 0) return "the certificate is not valid yet: check the clock";
  if ((all & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
    return inside.self_signed ? "the certificate is self-signed and not in ca_file"
                              : "the certificate is signed by no root of ca_file";
  }
  if ((all & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
    return apart(MBEDTLS_X509_BADCERT_EXPIRED, "the certificate has expired",
                 "a certificate above the peer's has expired (its root in ca_file, or an intermediate)");
  }
  if ((all & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
    return (Sentence(inside.sentence) << "the certificate is not for " << inside.host.view()).done();
  }
  if ((all & (MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_PK)) != 0) {
    return "the certificate's key is too weak (RSA under 2048 bits, or another curve than P-256, P-384, P-521)";
  }
  if ((all & MBEDTLS_X509_BADCERT_BAD_MD) != 0) {
    return "the certificate is signed with a hash that is too weak (not SHA-256, SHA-384, SHA-512)";
  }
  if ((all & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
              MBEDTLS_X509_BADCERT_NS_CERT_TYPE)) != 0) {
    return "the certificate is not meant for a server";
  }
  return "the certificate does not verify";
}

// RFC 8446 §6.2; what an operator can do something about is said in more words.
static string_view alert_name(uint8_t alert) {
  switch (alert) {
    case 0: return "it closed";
    case 10: return "unexpected message";
    case 20: return "a record was damaged";
    case 40: return "no common version, cipher suite or curve";
    case 42:
    case 43:
    case 46: return "it wants another certificate from us";
    case 44: return "our certificate was revoked";
    case 45: return "our certificate has expired";
    case 47: return "illegal parameter";
    case 48: return "it does not know who signed our certificate";
    case 49: return "access denied";
    case 50: return "decode error";
    case 51: return "decrypt error";
    case 70: return "no common version of TLS";
    case 71: return "it finds our cipher suites too weak";
    case 80: return "internal error of the peer";
    case 112: return "it does not know this host name";
    case 116: return "it wants a certificate from us";
    case 120: return "it does not speak the protocol that we asked for (ALPN)";
    default: return "unknown reason";
  }
}

static bool looks_like_tls(const TlsSession& inside) {
  // Record types 20 to 23, version 3.x (RFC 8446 §5.1).
  return inside.first_count < 2 ||
         (inside.first_bytes[0] >= 20 && inside.first_bytes[0] <= 23 && inside.first_bytes[1] == 3);
}

TlsJudge::Finding TlsJudge::find(TlsSession& inside, int library_error) {
  // Both libraries use the same number for the first two under different names.
  constexpr int bad_certificate = -0x7A00;
  constexpr int bad_version = -0x6E80;
  Sentence words(inside.sentence);
  switch (library_error) {
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case bad_certificate: {
      const uint32_t flags = mbedtls_ssl_get_verify_result(&inside.ssl);
      // All ones: the library has no result, and the reason is in the certificate's form.
      return {Error::untrusted, certificate_problem(inside, flags == UINT32_MAX ? 0 : flags)};
    }
    case bad_version: return {Error::unsupported, "the peer does not speak TLS 1.2 or later"};
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: {
      const uint8_t alert = inside.ssl.TOCSIN_INSIDE(in_msg)[1];
      words << "the peer refused: " << alert_name(alert) << " (TLS alert ";
      words.out().number(alert).text(")");
      return {Error::refused, words.done()};
    }
    case MBEDTLS_ERR_SSL_WANT_WRITE: return {Error::malformed, "the peer asks for TLS messages that it does not read"};
    case MBEDTLS_ERR_SSL_INVALID_MAC: return {Error::malformed, "a TLS record was damaged on the way"};
    default: break;
  }
  if (!looks_like_tls(inside)) return {Error::malformed, "the peer does not speak TLS"};
  const int positive = -library_error;
  const uint8_t number[] = {static_cast<uint8_t>(positive >> 8), static_cast<uint8_t>(positive)};
  // The numbers of X.509, ASN.1, PEM and public keys: x509.h, asn1.h, pem.h, pk.h.
  const bool in_certificate = (positive >= 0x2080 && positive <= 0x3000) ||
                              (positive >= 0x3880 && positive <= 0x3F80) || (positive >= 0x60 && positive <= 0x6C);
  words << (in_certificate ? "the peer's certificate can not be read" : "the peer broke the rules of TLS")
        << " (mbed TLS error -0x";
  words.out().hex(number).text(")");
  return {in_certificate ? Error::untrusted : Error::malformed, words.done()};
}

const char* TlsJudge::no_alpn(TlsSession& inside) {
  return (Sentence(inside.sentence) << "the peer does not agree to speak " << inside.alpn_text.view() << " (ALPN)")
      .done();
}

const char* TlsJudge::no_memory(TlsSession& inside, size_t fence) {
  Sentence words(inside.sentence);
  words << "out of counted memory (fence of ";
  words.out().unsigned_number(fence / 1024).text(" KiB)");
  return words.done();
}

}  // namespace tocsin
