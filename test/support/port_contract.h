// What port/port.h promises, checked on any port: the posix and the simulated one
// run the same functions. Each is the body of a test.
#pragma once

#include "port/port.h"

namespace tocsin::test {

struct PortContract {
  port::Port* port;
  const char* directory;  // an empty one for this test, without a slash at the end
  Address nobody;         // where a connection is refused
  void (*pass)(void*);    // lets a little time go by where waiting does not; may be nullptr
  void* context;
};

void contract_files_keep_what_is_written(const PortContract& c);
void contract_reads_are_short_only_at_the_end(const PortContract& c);
void contract_truncated_bytes_come_back_as_zeros(const PortContract& c);
void contract_create_refuses_what_is_there(const PortContract& c);
void contract_missing_files_are_not_found(const PortContract& c);
void contract_replace_and_remove_change_names(const PortContract& c);
void contract_directories_are_made_once(const PortContract& c);
void contract_an_open_file_survives_its_name(const PortContract& c);
void contract_one_sync_at_a_time_ends_the_wait(const PortContract& c);
void contract_a_lock_is_held_by_one(const PortContract& c);
void contract_literals_are_looked_up(const PortContract& c);
void contract_lookups_are_bounded(const PortContract& c);
void contract_a_refused_connection_can_write_and_says_so(const PortContract& c);
void contract_wait_skips_empty_interests(const PortContract& c);

}  // namespace tocsin::test
