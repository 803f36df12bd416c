// A Google service account, as the JSON file says that the Firebase console
// hands out: who signs, for which project, and where tokens are fetched.
#pragma once

#include "base/address.h"
#include "base/text.h"
#include "proto/json.h"

namespace tocsin {

struct FcmAccount {
  FixedText<255> email;
  FixedText<63> key_id;  // "" = none was named
  FixedText<63> project;
  FixedText<255> token_uri;
  HostPort token_host;        // of token_uri
  FixedText<255> token_path;  // of token_uri, with the first slash

  // On failure problem is a sentence without the file's name, and the members are not to be used. pem: the private
  // key, valid as long as json is.
  Status read(string_view file, JsonDocument& json, string_view& pem, const char*& problem);
};

}  // namespace tocsin
