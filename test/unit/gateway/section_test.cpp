#include "gateway/section.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

void the_only_section_of_a_kind_takes_its_service(void**) {
  Section sections[3];
  sections[0].name = "apns/siskin";
  sections[1].name = "fcm/play";
  sections[2].name = "webpush";
  choose_services(sections);
  for (const Section& section : sections) assert_true(section.takes_service);
  assert_true(sections[0].kind() == "apns");
  assert_true(sections[1].kind() == "fcm");
  assert_true(sections[2].kind() == "webpush");
}

void of_several_the_one_that_says_so_takes_it_or_none(void**) {
  Section sections[3];
  sections[0].name = "apns/siskin";
  sections[1].name = "apns/monal";
  sections[2].name = "fcm/play";
  choose_services(sections);
  assert_false(sections[0].takes_service);
  assert_false(sections[1].takes_service);
  assert_true(sections[2].takes_service);
  sections[1].takes_service = true;
  choose_services(sections);
  assert_false(sections[0].takes_service);
  assert_true(sections[1].takes_service);
}

void both_environments_of_an_app_are_one(void**) {
  Section sections[2];
  sections[0].name = "apns/sand";
  sections[0].second_choice = true;
  sections[1].name = "apns/siskin";
  choose_services(sections);
  assert_false(sections[0].takes_service);
  assert_true(sections[1].takes_service);
}

void modules_are_compared_whole(void**) {
  Section section;
  section.modules[section.module_count++] = "monalProdiOS";
  section.modules[section.module_count++] = "monalAlpha-sandbox";
  assert_true(section.has_module("monalProdiOS"));
  assert_true(section.has_module("monalAlpha-sandbox"));
  for (const string_view module : {"monalAlpha", "", "MonalProdiOS", "monalProdiOS-sandbox"}) {
    assert_false(section.has_module(module));
  }
}

}  // namespace

TESTS(section, cmocka_unit_test(the_only_section_of_a_kind_takes_its_service),
      cmocka_unit_test(of_several_the_one_that_says_so_takes_it_or_none),
      cmocka_unit_test(both_environments_of_an_app_are_one), cmocka_unit_test(modules_are_compared_whole));

}  // namespace tocsin
