#include "dialect/tigase.h"

#include "base/text.h"
#include "dialect/adhoc_names.h"
#include "dialect/form.h"
#include "dialect/replies.h"

namespace tocsin {
namespace {

constexpr size_t session_bytes_max = 255;
constexpr size_t value_bytes_max = 4096;  // of a field; what is longer is no token of any provider

struct Field {
  string_view var;
  bool required;
  string_view Command::*into;
};
constexpr Field fields[] = {
    {"provider", true, &Command::provider},
    {"device-token", true, &Command::token},
    {"device-second-token", false, &Command::second_token},  // only to register, so the last one
};

// What the first step of two answers: the form that lists the available providers.
void write_form(Writer& out, const IqHead& iq, const CommandName& name, string_view session,
                const ServiceFacts& service) {
  open_command(out, iq, name.node, session, "executing");
  // With <complete/> as default action: a client that sees no <actions/> would send `next`.
  out.text("><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'><title>")
      .text(name.name);
  out.text("</title><field var='provider' type='list-single' label='Provider'><required/>");
  for (size_t i = 0; i < service.providers.size(); ++i) {
    if (!first_of_its_id(service, i)) continue;
    const ProviderFacts& provider = service.providers[i];
    out.text("<option label='").xml(provider.label).text("'><value>").xml(provider.id).text("</value></option>");
  }
  out.text("</field><field var='device-token' type='text-single' label='Device token'><required/></field>");
  if (name.node == "register-device") {
    out.text("<field var='device-second-token' type='text-single' label='Second device token (calls)'/>");
  }
  out.text("</x></command></iq>");
}

void refuse(Writer& out, const IqHead& iq, string_view text, string_view extra = {}) {
  write_error(out, iq, {.type = "modify", .condition = "bad-request", .text = text, .extra = extra});
}

void refuse_field(Writer& out, const IqHead& iq, string_view var, string_view what) {
  uint8_t room[64];
  Writer text(room);
  refuse(out, iq, text.text("Field ").text(var).text(what).view());
}

}  // namespace

void read_tigase_command(const Element& element, const ServiceFacts& service, string_view fresh_session,
                         Command& command, Writer& answer) {
  const CommandName* name = find_command(element.value("node"));
  if (name == nullptr) return write_answer(answer, command.iq, Answer::gone);
  // A session is an echo and nothing else: what the client sends is complete in itself.
  const string_view asked = element.value("sessionid");
  command.session = asked.empty() || asked.size() > session_bytes_max ? fresh_session : asked;

  const string_view action = element.value("action");
  if (action == "cancel") {
    open_command(answer, command.iq, name->node, command.session, "canceled");
    answer.text("/></iq>");
    return;
  }
  if (action == "prev") {
    return refuse(answer, command.iq, "There is no earlier step.",
                  "<bad-action xmlns='http://jabber.org/protocol/commands'/>");
  }
  const bool first_step = action.empty() || action == "execute";
  if (!first_step && action != "complete" && action != "next") {
    return refuse(answer, command.iq, "This action is not known.",
                  "<malformed-action xmlns='http://jabber.org/protocol/commands'/>");
  }
  // Whatever its type says, `cancel` included, a form is a submitted one (XEP-0050, Use of Data Forms).
  const Element* form = element.child("x", data_ns);
  if (form == nullptr && first_step) return write_form(answer, command.iq, *name, command.session, service);

  const bool registers = name->node == "register-device";
  for (const Field& field : std::span(fields).first(registers ? 3 : 2)) {
    const string_view value = trim(form_value(form, field.var));
    if (field.required && value.empty()) return refuse_field(answer, command.iq, field.var, " is missing or empty.");
    if (value.size() > value_bytes_max) return refuse_field(answer, command.iq, field.var, " is too long.");
    command.*field.into = value;
  }
  command.kind = registers ? Command::Kind::register_device : Command::Kind::unregister_device;
}

}  // namespace tocsin
