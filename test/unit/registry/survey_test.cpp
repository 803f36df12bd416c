// What the survey of a log knows is what a registry that opens the log knows.
#include "registry/survey.h"

#include "registry/log_reader.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

namespace {

alignas(64) uint8_t survey_memory[1 << 20];
uint8_t scratch[1 << 16];

Survey survey_of(Bench& b, uint32_t nodes) {
  assert_true(Survey::bytes_for(nodes) <= sizeof survey_memory);
  std::memset(survey_memory, 0x5a, sizeof survey_memory);
  Region region(Bytes(survey_memory).first(Survey::bytes_for(nodes)));
  Survey survey(region, nodes);
  assert_int_equal(region.used(), region.size());
  LogReader reader(b.journal, scratch);
  FileHeader header;
  Result<bool> more = reader.open(header);
  while (more.ok() && more.value()) {
    Record record;
    more = reader.next(record);
    if (more.ok() && more.value()) assert_true(survey.take(record, reader.offset(), reader.length()).ok());
  }
  assert_true(more.ok());
  return survey;
}

const Surveyed* find(const Survey& survey, const NodeId& node) {
  for (uint32_t i = 0; i < survey.count(); ++i) {
    if (survey.at(i).node == node) return &survey.at(i);
  }
  return nullptr;
}

}  // namespace

static void the_survey_is_the_registry(void** state) {
  Bench& b = bench(state);
  sim::Random random(7);
  b.options.max_devices = 200;
  b.open();
  UnixTime now = day_one;
  NodeId nodes[200];
  uint32_t count = 0;
  uint32_t ends = 0;
  for (int batch = 0; batch < 60; ++batch) {
    for (int i = 0; i < 5; ++i) {
      now = now + hours(static_cast<int64_t>(random.below(40)));
      const auto pick = static_cast<uint32_t>(random.below(200));
      if (pick >= count) {
        nodes[count] = b.add(count, count, now);
        ++count;
        continue;
      }
      const NodeId node = nodes[pick];
      switch (random.below(6)) {
        case 0: {
          const Result<Ticket> ended = b.registry->end(node, EndReason::provider, "Unregistered", now);
          assert_true(ended.ok() || ended.error() == Error::not_found);
          break;
        }
        case 1: (void)b.registry->hold(node, "BadDeviceToken", now).ok(); break;
        case 2: (void)b.registry->release(node, now).ok(); break;
        case 3:
          if (b.registry->find(node) != nullptr)
            (void)b.registry->accepted(node, static_cast<uint32_t>(1 + i), now).ok();
          break;
        case 4: {
          Registration other = b.registration(pick, pick + 1000);
          other.node = node;
          (void)b.registry->change(other, now).ok();
          break;
        }
        default: (void)b.registry->refresh(node, now, true).ok();
      }
    }
    if (b.registry->anything_staged()) assert_true(b.commit().ok());
  }
  b.open();
  const Survey survey = survey_of(b, count);
  assert_int_equal(survey.count(), count);
  assert_int_equal(survey.devices(), b.registry->count());
  assert_int_equal(survey.strays(), 0);
  uint32_t held = 0;
  for (uint32_t i = 0; i < count; ++i) {
    assert_true(survey.at(i).node == nodes[i]);  // in the order of their registration
    const Device* device = b.registry->find(nodes[i]);
    const Surveyed& known = survey.at(i);
    assert_int_equal(known.state == Surveyed::State::ended, device == nullptr);
    Record record;
    if (known.word_at != 0) {
      assert_true(decode(ByteView(b.journal.bytes + known.word_at, known.word_bytes), record).ok());
      assert_true(record.node == nodes[i]);
      assert_true(record.kind == (device == nullptr ? RecordKind::ended : RecordKind::held));
    }
    if (device == nullptr) {
      assert_true(known.word_at != 0);
      ++ends;
      continue;
    }
    assert_int_equal(known.full_at, device->offset());
    assert_int_equal(known.full_bytes, record_size(b.journal.bytes + known.full_at));
    assert_int_equal(known.refreshed, device->refreshed_stored);
    assert_int_equal(known.accepted_under, device->accepted_under);
    assert_int_equal(known.accepted_day, device->accepted_day);
    assert_int_equal(known.state == Surveyed::State::held, device->held);
    held += device->held;
  }
  assert_true(ends > 5 && held > 5 && survey.devices() > 20);
  assert_int_equal(survey.held(), held);
  uint64_t live = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Surveyed& known = survey.at(i);
    live += known.word_bytes;
    if (known.state != Surveyed::State::ended) live += known.full_bytes;
  }
  assert_int_equal(survey.live_bytes(), live);
}

static void ends_stand_alone_and_strays_are_counted(void** state) {
  Bench& b = bench(state);
  LogWriter(b.journal)
      .header()
      .record({.kind = RecordKind::ended, .node = node_of(1), .registration = {.account = "ann@example.org"}})
      .record({.kind = RecordKind::held, .node = node_of(2), .word = "x"})
      .record({.kind = RecordKind::refreshed, .node = node_of(1)})
      .mark();
  const Survey survey = survey_of(b, 1);
  assert_int_equal(survey.count(), 1);
  assert_int_equal(survey.ended(), 1);
  assert_int_equal(survey.strays(), 2);
  assert_int_equal(find(survey, node_of(1))->full_at, 0);
}

static void more_nodes_than_announced_are_refused(void**) {
  Region region(Bytes(survey_memory).first(Survey::bytes_for(1)));
  Survey survey(region, 1);
  assert_true(survey.take({.kind = RecordKind::ended, .node = node_of(1)}, 36, 40).ok());
  assert_int_equal(survey.take({.kind = RecordKind::ended, .node = node_of(2)}, 76, 40).error(), Error::exhausted);
  assert_true(survey.take({.kind = RecordKind::ended, .node = node_of(1)}, 116, 40).ok());
}

TESTS(survey, BENCH_TEST(the_survey_is_the_registry), BENCH_TEST(ends_stand_alone_and_strays_are_counted),
      BENCH_TEST(more_nodes_than_announced_are_refused));
