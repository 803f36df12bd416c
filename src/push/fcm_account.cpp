#include "push/fcm_account.h"

namespace tocsin {
namespace {

#define WHERE_TO_GET_ONE "(Firebase console, project settings, service accounts, generate new private key)"

bool has(string_view text, string_view words) { return text.find(words) != string_view::npos; }

// Before 2024 a single line was all that was needed: AAAA….:APA91b…, or older ones with AIza.
bool is_server_key(string_view text) {
  text = trim(text);
  if (text.size() > 400 || text.find_first_of(" \n\t{") != string_view::npos) return false;
  return starts_with(text, "AIza") || (starts_with(text, "AAAA") && has(text, ":APA91b"));
}

// What people have in its place, by its looks; nullptr: nothing of that.
const char* odd_looks(string_view file) {
  if (trim(file).empty()) return "it is empty";
  if (is_server_key(file)) {
    return "it holds an old server key, which Google has not taken since 2024; FCM HTTP v1 needs the JSON of a service "
           "account " WHERE_TO_GET_ONE;
  }
  if (has(file, "\"project_info\"") || has(file, "\"mobilesdk_app_id\"")) {
    return "it is google-services.json, which belongs into the app; the gateway needs the JSON of a service "
           "account " WHERE_TO_GET_ONE;
  }
  if (has(file, "-----BEGIN ") && trim(file)[0] != '{') {
    return "it holds a key alone; the whole JSON of the service account is needed " WHERE_TO_GET_ONE;
  }
  return nullptr;
}

// https://host[:port]/path; false for anything else.
bool split_uri(string_view uri, HostPort& host, FixedText<255>& path) {
  constexpr string_view scheme = "https://";
  if (!starts_with(uri, scheme)) return false;
  for (const char c : uri) {
    if (c <= 0x20 || c > 0x7E || c == '"' || c == '\\' || c == '@' || c == '#') return false;
  }
  const string_view rest = slice(uri, scheme.size());
  const size_t slash = rest.find('/');
  if (slash == string_view::npos || !path.assign(slice(rest, slash))) return false;
  const Result<HostPort> read = parse_host_port(slice(rest, 0, slash), 443);
  if (read.ok()) host = read.value();
  return read.ok();
}

// Goes into a path and a JWT as it is.
bool is_project(string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == ':' || c == '_';
    if (!good) return false;
  }
  return true;
}

}  // namespace

Status FcmAccount::read(string_view file, JsonDocument& json, string_view& pem, const char*& problem) {
  const auto refuse = [&problem](const char* why, Error error = Error::malformed) {
    problem = why;
    return error;
  };
  if (const char* odd = odd_looks(file)) return refuse(odd);
  if (const Status parsed = json.parse(file); !parsed.ok()) {
    if (parsed.error() == Error::exhausted)
      return refuse("there is no counted memory left to read it", Error::exhausted);
    return refuse("it is no JSON; the file of a service account is needed " WHERE_TO_GET_ONE);
  }
  const JsonValue root = json.root();
  const string_view type = root["type"].text();
  if (type == "authorized_user") {
    return refuse("it holds the login of a person (gcloud); the JSON of a service account is needed " WHERE_TO_GET_ONE);
  }
  if (type == "external_account" || type == "impersonated_service_account") {
    return refuse(
        "it holds a federated identity without a key; the JSON of a service account is needed " WHERE_TO_GET_ONE);
  }
  if (root["installed"].is_object() || root["web"].is_object()) {
    return refuse("it holds an OAuth client; the JSON of a service account is needed " WHERE_TO_GET_ONE);
  }
  if (type != "service_account") {
    return refuse("it is not the JSON of a service account (\"type\": \"service_account\") " WHERE_TO_GET_ONE);
  }
  pem = root["private_key"].text();
  if (pem.empty()) return refuse("it has no private_key; download a new one " WHERE_TO_GET_ONE);
  const string_view address = root["client_email"].text();
  if (address.empty() || !email.assign(address))
    return refuse("its client_email is missing or too long; download a new one " WHERE_TO_GET_ONE);
  const string_view name = root["project_id"].text();
  if (!is_project(name) || !project.assign(name))
    return refuse("its project_id is missing or odd; download a new one " WHERE_TO_GET_ONE);
  if (!key_id.assign(root["private_key_id"].text()))
    return refuse("its private_key_id is too long; download a new one " WHERE_TO_GET_ONE);
  const string_view said = root["token_uri"].text();
  const string_view uri = said.empty() ? string_view("https://oauth2.googleapis.com/token") : said;
  if (!token_uri.assign(uri) || !split_uri(uri, token_host, token_path)) {
    return refuse("its token_uri is no https address");
  }
  problem = "";
  return {};
}

}  // namespace tocsin
