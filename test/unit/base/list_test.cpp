#include "base/list.h"

#include <initializer_list>

#include "test/support/tests.h"

namespace tocsin {
namespace {

struct Item {
  unsigned number = 0;
  ListHook<Item> hook = {};
  ListHook<Item> other = {};
};
using Items = List<Item, &Item::hook>;
using Others = List<Item, &Item::other>;

// The numbers in order as decimal digits, read forwards; 0 when backwards differs.
unsigned order_of(const Items& list) {
  unsigned forwards = 0;
  for (Item* item = list.first(); item != nullptr; item = list.after(*item)) forwards = forwards * 10 + item->number;
  unsigned backwards = 0;
  unsigned scale = 1;
  for (Item* item = list.last(); item != nullptr; item = item->hook.previous, scale *= 10) {
    backwards += item->number * scale;
  }
  return forwards == backwards ? forwards : 0;
}

void items_stand_where_they_were_put(void**) {
  Item a{.number = 1}, b{.number = 2}, c{.number = 3}, d{.number = 4};
  Items list;
  assert_true(list.empty());
  list.push_back(b);
  list.push_front(a);
  list.push_back(d);
  list.insert_after(&b, c);
  assert_int_equal(order_of(list), 1234);
  assert_int_equal(list.size(), 4);
}

void items_leave_from_anywhere(void**) {
  Item a{.number = 1}, b{.number = 2}, c{.number = 3}, d{.number = 4};
  Items list;
  for (Item* item : {&a, &b, &c, &d}) list.push_back(*item);
  list.remove(b);
  assert_int_equal(order_of(list), 134);
  list.remove(d);
  assert_int_equal(order_of(list), 13);
  assert_ptr_equal(list.pop_front(), &a);
  assert_ptr_equal(list.first(), &c);
  assert_ptr_equal(list.pop_front(), &c);
  assert_null(list.pop_front());
  assert_true(list.empty());
  assert_null(list.last());
  assert_false(a.hook.linked);
  list.push_back(a);
  assert_int_equal(order_of(list), 1);
}

void an_item_is_in_one_list_for_each_hook(void**) {
  Item a{.number = 1}, b{.number = 2};
  Items list;
  Others others;
  list.push_back(a);
  list.push_back(b);
  others.push_back(b);
  others.push_back(a);
  list.remove(a);
  assert_ptr_equal(others.first(), &b);
  assert_ptr_equal(others.after(b), &a);
  assert_int_equal(order_of(list), 2);
}

TESTS(list, cmocka_unit_test(items_stand_where_they_were_put), cmocka_unit_test(items_leave_from_anywhere),
      cmocka_unit_test(an_item_is_in_one_list_for_each_hook));

}  // namespace
}  // namespace tocsin
