#include "dialect/form.h"

namespace tocsin {

string_view form_value(const Element* form, string_view var) {
  if (form == nullptr) return {};
  for (const Element* field = form->first_child; field != nullptr; field = field->next) {
    if (field->name != "field" || field->ns != data_ns || field->value("var") != var) continue;
    const Element* value = field->child("value", data_ns);
    return value == nullptr ? string_view() : value->text;
  }
  return {};
}

}  // namespace tocsin
