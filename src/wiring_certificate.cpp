// A section that shows a certificate in place of signing tokens: is it one that Apple will take?
#include "base/calendar.h"
#include "base/text.h"
#include "wiring.h"

namespace tocsin {
namespace {

// The time to renew it; Apple sends a mail, to somebody.
constexpr Duration ends_soon = days(30);

// False: it is of no use. remark: why, or what will be.
bool fit(const ClientCertificate& own, string_view topic, UnixTime wall, Writer& remark) {
  const int64_t first_day = own.begins().s / 86'400;
  const int64_t last_day = own.ends().s / 86'400;
  // What the clock says counts only when it was ever set.
  if (plausible(wall) && own.ends() < wall) {
    write_day(remark.text("it has expired, on "), last_day);
    remark.text(": renew it in the Apple developer account");
    return false;
  }
  if (plausible(wall) && wall < own.begins()) {
    write_day(remark.text("it is valid from "), first_day);
    remark.text(" only: check the clock");
    return false;
  }
  if (!own.topics().empty() && !own.names_topic(topic)) {
    remark.text("it is for ").text(cut_characters(own.topics(), 90)).text(", not for the topic of this section");
    return false;
  }
  if (plausible(wall) && own.ends() - wall < ends_soon) {
    write_day(remark.text("it ends on "), last_day);
    remark.text(": renew it in the Apple developer account, else nothing is pushed from then on");
  }
  return true;
}

}  // namespace

Status Wiring::load_certificate(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem) {
  ApnsParts& apns = origins_[i].apns;
  ClientCertificate& own = apns.certificate;
  const ApnsSettings& settings = settings_.apns[i];
  const Status loaded =
      own.load(files.sections[i].certificate, files.sections[i].key, *origins_[i].key_heap, port_.entropy);
  const bool of_key = !loaded.ok() && own.about_key() && !settings.certificate_key.empty();
  *culprit = of_key ? "certificate_key" : "certificate";
  *problem = own.problem();
  if (!loaded.ok()) return loaded;
  uint8_t room[200];
  Writer remark(room);
  const bool good = fit(own, settings.topic.view(), port_.clock.wall(), remark);
  GW_CHECK(!remark.overflowed() && apns.remark.assign(remark.view()));
  if (!good) {
    *problem = apns.remark.c_str();
    return Error::unsupported;
  }
  apns.provider->show(own.mark());
  sections_[i].fingerprint = apns.provider->fingerprint();
  return {};
}

}  // namespace tocsin
