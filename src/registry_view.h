// The gateway's registry for a check, which may run beside it: its file is only
// read, without a lock, and what is just being appended counts as not there yet.
#pragma once

#include <optional>

#include "link/log_file.h"
#include "registry/registry.h"
#include "wiring.h"

namespace tocsin {

class RegistryView {
 public:
  // reserve: memory that lives as long as the process; empty when the system has none.
  RegistryView(const char* path, const Registry::Options& options, const Wiring& wiring, port::Storage& storage,
               Bytes (*reserve)(size_t bytes));
  RegistryView(const RegistryView&) = delete;
  RegistryView& operator=(const RegistryView&) = delete;
  ~RegistryView() { file_.shut(); }
  // nullptr: there is none yet, or it can not be read; which the gateway's start says.
  const Registry* registry() const { return whole_ ? &*registry_ : nullptr; }

 private:
  LogFile file_;
  std::optional<Registry> registry_;
  bool whole_ = false;
};

}  // namespace tocsin
