// What a scenario expects its publishers to be told.
#include "test/scenario/world.h"

namespace tocsin::test {

void World::expect_result(string_view id) {
  const string_view answer = server_->answer(id);
  if (!contains(answer, "type='result'")) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(contains(answer, "type='result'"));
  assert_int_equal(server_->answers(id), 1);
}

void World::expect_gone(string_view id) {
  const string_view answer = server_->answer(id);
  if (!contains(answer, "item-not-found")) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(contains(answer, "<error type='cancel'><item-not-found "));
  assert_int_equal(server_->answers(id), 1);
}

void World::expect_wait(string_view id, string_view condition) {
  const string_view answer = server_->answer(id);
  if (!contains(answer, condition)) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(contains(answer, "<error type='wait'><"));
  assert_true(contains(answer, condition));
  assert_int_equal(server_->answers(id), 1);
}

void World::expect_answer(string_view id, string_view part) {
  const string_view answer = server_->answer(id);
  if (!contains(answer, part)) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(contains(answer, part));
  assert_int_equal(server_->answers(id), 1);
}

}  // namespace tocsin::test
