// Who asks, behind proxies.
#include "link/listener_link.h"

namespace tocsin {

// Whose request it is. Behind a proxy that we trust, the last address that it and its like did not add themselves.
Address ListenerLink::asker(const WebConnection& connection) const {
  Address who = connection.client();
  if (!connection.trusted()) return who;
  const HttpFields& fields = connection.request().fields;
  const unsigned count = fields.count("x-forwarded-for");
  for (unsigned n = count; n > 0; --n) {
    string_view list = fields.value("x-forwarded-for", n - 1);
    while (!list.empty()) {
      const size_t comma = list.rfind(',');
      string_view last = trim(comma == string_view::npos ? list : slice(list, comma + 1));
      list = comma == string_view::npos ? string_view() : slice(list, 0, comma);
      if (starts_with(last, "[") && ends_with(last, "]")) last = slice(last, 1, last.size() - 2);
      const Result<Address> named = parse_ip(last, 0);
      if (!named.ok()) return who;
      who = named.value();
      if (options_.forwarded_from == nullptr || !options_.forwarded_from->contain(who)) return who;
    }
  }
  return who;
}

}  // namespace tocsin
