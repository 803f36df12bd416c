#include "push/request.h"

#include "base/check.h"

namespace tocsin {

void Request::header(string_view name, string_view value, bool no_index) {
  GW_CHECK(count < headers_max);
  headers[count++] = {.name = name, .value = value, .no_index = no_index};
}

}  // namespace tocsin
