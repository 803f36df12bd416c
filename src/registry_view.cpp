#include "registry_view.h"

namespace tocsin {

RegistryView::RegistryView(const char* path, const Registry::Options& options, const Wiring& wiring,
                           port::Storage& storage, Bytes (*reserve)(size_t bytes))
    : file_(storage) {
  if (!file_.open(path).ok()) return;
  const size_t bytes = Registry::bytes_for(options);
  const Bytes memory = reserve(bytes + Registry::replay_scratch_bytes);
  if (memory.empty()) return;
  Region region(memory.first(bytes));
  registry_.emplace(region, options, file_);
  wiring.name_sections(*registry_);
  whole_ = registry_->replay(memory.subspan(bytes)).ok();
}

}  // namespace tocsin
