// Our own certificate as the library knows it: for its wrapper, and for sessions that show it.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "crypto/certificate.h"
#include "crypto/inside_mbedtls.h"

namespace tocsin {

struct ClientCertificate::Inside {
  mbedtls_x509_crt chain;  // ours first
  mbedtls_pk_context key;
};

}  // namespace tocsin
