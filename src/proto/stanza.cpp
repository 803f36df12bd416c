#include "proto/stanza.h"

namespace tocsin {

const Attribute* Element::attribute(string_view wanted) const {
  for (const Attribute* a = attributes; a != nullptr; a = a->next) {
    if (a->ns.empty() && a->name == wanted) return a;
  }
  return nullptr;
}

string_view Element::value(string_view wanted) const {
  const Attribute* found = attribute(wanted);
  return found == nullptr ? string_view() : found->value;
}

const Element* Element::child(string_view wanted, string_view wanted_ns) const {
  for (const Element* e = first_child; e != nullptr; e = e->next) {
    if (e->name == wanted && e->ns == wanted_ns) return e;
  }
  return nullptr;
}

bool is_stanza_namespace(string_view ns) {
  return ns.empty() || ns == "jabber:component:accept" || ns == "jabber:client" || ns == "jabber:server";
}

}  // namespace tocsin
