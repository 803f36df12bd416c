#include "dialect/adhoc.h"

#include "base/text.h"
#include "dialect/appserver.h"
#include "dialect/form.h"
#include "dialect/p2.h"
#include "dialect/replies.h"
#include "dialect/tigase.h"

namespace tocsin {
namespace {

using Options = AdhocField::Options;

constexpr size_t session_bytes_max = 255;
constexpr size_t value_bytes_max = 4096;  // of a field; what is longer is no token of any provider

bool offers(const ServiceFacts& service, const AdhocCommand& command) {
  if (!command.for_services) return true;
  if (command.service.empty()) return !service.services.empty();
  return has_service(service, command.service);
}

void write_option(Writer& out, string_view label, string_view value) {
  out.text("<option label='").xml(label).text("'><value>").xml(value).text("</value></option>");
}

void write_field(Writer& out, const AdhocField& field, const ServiceFacts& service) {
  if (field.options == Options::web_push && !has_web_push(service)) return;
  out.text("<field var='").text(field.var).text("' type='");
  const bool listed = field.options == Options::providers || field.options == Options::services;
  out.text(listed ? "list-single" : "text-single").text("' label='").text(field.label);
  if (!field.required) {
    out.text("'/>");
    return;
  }
  out.text("'><required/>");
  if (field.options == Options::providers) {
    for (size_t i = 0; i < service.providers.size(); ++i) {
      const ProviderFacts& provider = service.providers[i];
      if (first_of_its_id(service, i)) write_option(out, provider.label, provider.id);
    }
  } else if (field.options == Options::services) {
    for (const string_view name : service.services) write_option(out, name, name);
  }
  out.text("</field>");
}

// What the first step of two answers.
void write_form(Writer& out, const AdhocCommand& about, const Command& command, const ServiceFacts& service) {
  open_command(out, command.iq, command.asked, command.session, "executing");
  // With <complete/> as default action: a client that sees no <actions/> would send `next`.
  out.text("><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'><title>");
  out.text(about.name).text("</title>");
  for (const AdhocField& field : about.fields) write_field(out, field, service);
  if (has_web_push(service) && about.dialect == DialectId::tigase && about.kind == Command::Kind::register_device) {
    out.text("<field var='vapid-key' type='fixed' label='Web Push: the key to subscribe with'><value>");
    out.xml(service.vapid_key).text("</value></field>");
  }
  out.text("</x></command></iq>");
}

void refuse(Writer& out, const IqHead& iq, string_view text, string_view extra = {}) {
  write_error(out, iq, {.type = "modify", .condition = "bad-request", .text = text, .extra = extra});
}

void refuse_field(Writer& out, const AdhocCommand& about, Command& command, string_view var, string_view what,
                  Refusal refusal = Refusal::field) {
  uint8_t room[160];
  Writer text(room);
  if (about.kind == Command::Kind::register_device) command.refusal = refusal;
  command.refused_field = var;
  refuse(out, command.iq, text.text("Field ").text(var).text(what).view());
}

constexpr string_view several_sections = "several sections of this kind, and dialect = p2 in none of them.";

// A command that there would be, had the conf a section for it: whoever made the conf will want to know.
void refuse_unoffered(Writer& out, Command& command, const ServiceFacts& service) {
  for (const std::span<const AdhocCommand> dialect : {p2_commands(), appserver_commands()}) {
    for (const AdhocCommand& known : dialect) {
      if (known.kind != Command::Kind::register_device || !starts_with(command.asked, known.node)) continue;
      if (!same_ignoring_case(slice(command.asked, known.node.size()), known.service)) continue;
      const bool undecided = known.service.empty() ? !service.undecided.empty() : is_undecided(service, known.service);
      uint8_t room[160];
      Writer text(room);
      text.text("The conf of this gateway has ");
      text.text(undecided ? several_sections : string_view("no section for this command."));
      command.dialect = known.dialect;
      command.service = known.service;
      command.refusal = undecided ? Refusal::undecided : Refusal::missing;
      return write_error(out, command.iq, {.type = "cancel", .condition = "item-not-found", .text = text.view()});
    }
  }
  write_answer(out, command.iq, Answer::gone);
}

}  // namespace

const AdhocCommand* offered_command(const ServiceFacts& service, size_t place) {
  for (const std::span<const AdhocCommand> dialect : {tigase_commands(), p2_commands(), appserver_commands()}) {
    for (const AdhocCommand& command : dialect) {
      if (!offers(service, command)) continue;
      if (place == 0) return &command;
      --place;
    }
  }
  return nullptr;
}

const AdhocCommand* find_command(const ServiceFacts& service, string_view node) {
  for (size_t place = 0; const AdhocCommand* command = offered_command(service, place); ++place) {
    if (!starts_with(node, command->node)) continue;
    if (same_ignoring_case(slice(node, command->node.size()), command->service)) return command;
  }
  return nullptr;
}

void read_adhoc_command(const Element& element, const ServiceFacts& service, string_view fresh_session,
                        Command& command, Writer& answer) {
  command.asked = element.value("node");
  const AdhocCommand* about = find_command(service, command.asked);
  if (about == nullptr) return refuse_unoffered(answer, command, service);
  // A session is an echo and nothing else: what the client sends is complete in itself.
  const string_view session = element.value("sessionid");
  command.session = session.empty() || session.size() > session_bytes_max ? fresh_session : session;

  const string_view action = element.value("action");
  if (action == "cancel") {
    open_command(answer, command.iq, command.asked, command.session, "canceled");
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
  if (form == nullptr && first_step) return write_form(answer, *about, command, service);

  command.dialect = about->dialect;
  command.service = about->service;
  for (const AdhocField& field : about->fields) {
    string_view value = trim(form_value(form, field.var));
    if (value.empty() && !field.also.empty()) value = trim(form_value(form, field.also));
    if (field.required && value.empty())
      return refuse_field(answer, *about, command, field.var, " is missing or empty.");
    if (value.size() > value_bytes_max) return refuse_field(answer, *about, command, field.var, " is too long.");
    if (field.options == Options::services && !has_service(service, value)) {
      if (!is_undecided(service, value))
        return refuse_field(answer, *about, command, field.var, " names no service that is offered here.",
                            Refusal::missing);
      uint8_t room[128];
      Writer what(room);
      what.text(": the conf of this gateway has ").text(several_sections);
      return refuse_field(answer, *about, command, field.var, what.view(), Refusal::undecided);
    }
    command.*field.into = value;
  }
  const string_view wrong = about->check == nullptr ? string_view() : about->check(form, command);
  if (!wrong.empty()) {
    if (about->kind == Command::Kind::register_device) command.refusal = Refusal::field;
    return refuse(answer, command.iq, wrong);
  }
  command.kind = about->kind;
}

}  // namespace tocsin
