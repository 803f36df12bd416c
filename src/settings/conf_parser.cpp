#include "settings/conf_parser.h"

#include "base/text.h"

namespace tocsin {

namespace {

constexpr string_view byte_order_mark = "\xef\xbb\xbf";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Position of the first control character, tabs apart, or npos.
size_t find_control(string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return i;
  }
  return string_view::npos;
}

// Remembers the candidate that is nearest to what was written; an odd one out
// (more than a third of it different) helps nobody.
class Nearest {
 public:
  explicit Nearest(string_view written) : written_(written) {}
  void offer(string_view candidate) {
    const unsigned distance = edit_distance(written_, candidate);
    const size_t longer = written_.size() > candidate.size() ? written_.size() : candidate.size();
    if (distance >= best_distance_ || distance * 3 > longer + 1) return;
    best_distance_ = distance;
    best_ = candidate;
  }
  string_view best() const { return best_; }

 private:
  string_view written_;
  string_view best_;
  unsigned best_distance_ = 255;
};

}  // namespace

FaultLine ConfParser::fault() { return FaultLine(*faults_, origins_.here(line_), Weight::stop, exit_code::conf); }

void ConfParser::parse(string_view text, string_view file_name) {
  if (!origins_.add_source(file_name)) {
    FaultLine(*faults_, {file_name}, Weight::stop, exit_code::conf).text("one conf file too many; put them together");
    return;
  }
  directory_ = directory_of(file_name);
  in_section_ = skipping_ = false;
  line_ = 0;
  if (starts_with(text, byte_order_mark)) text = slice(text, byte_order_mark.size());
  bool readable = true;
  while (readable && !text.empty()) {
    ++line_;
    const size_t end = text.find('\n');
    readable = read_line(slice(text, 0, end));
    text = end == string_view::npos ? string_view() : slice(text, end + 1);
  }
  origins_.set_end(origins_.here(line_ == 0 ? 1 : line_));
}

bool ConfParser::read_line(string_view line) {
  if (ends_with(line, "\r")) line = slice(line, 0, line.size() - 1);
  if (line.size() > line_bytes_max) {
    fault().text("the line is over ").number(line_bytes_max).text(" bytes; make it shorter");
    return true;
  }
  const size_t control = find_control(line);
  if (control != string_view::npos) {
    if (line[control] == '\0') {
      fault().text("a NUL byte: this is not a conf file, or not saved as UTF-8");
      return false;
    }
    fault().text("a control character in column ").number(control + 1).text("; remove it");
    return true;
  }
  if (!is_utf8(line)) {
    fault().text("the line is not UTF-8; save the file as UTF-8");
    return true;
  }
  line = trim(line);
  if (line.empty() || line[0] == '#') return true;
  if (line[0] == '[')
    read_section(line);
  else
    read_key(line);
  return true;
}

void ConfParser::read_section(string_view line) {
  skipping_ = true;
  in_section_ = false;
  const size_t end = line.find(']');
  if (end == string_view::npos) {
    fault().text("the section's name has no closing ]");
    return;
  }
  const string_view rest = slice(line, end + 1);
  const string_view behind = trim(rest);
  if (!behind.empty() && (behind[0] != '#' || !is_blank(rest[0]))) {
    fault().text("nothing but a comment may follow a section's ]; put the rest on a line of its own");
    return;
  }
  string_view inside = trim(slice(line, 1, end - 1));
  const size_t blank = inside.find_first_of(" \t");
  const string_view kind = slice(inside, 0, blank);
  const string_view name = blank == string_view::npos ? string_view() : trim(slice(inside, blank));
  if (!open_section(kind, name, blank != string_view::npos)) return;
  skipping_ = false;
  in_section_ = true;
}

// Sets place_; false after a fault.
bool ConfParser::open_section(string_view kind, string_view name, bool has_name) {
  const SectionRow* row = find_section(kind);
  if (row == nullptr) {
    Nearest nearest(kind);
    for (const SectionRow& known : section_rows())
      if (!known.later) nearest.offer(known.name);
    if (nearest.best().empty()) {  // a reserved name only where no supported one is near
      for (const SectionRow& known : section_rows()) nearest.offer(known.name);
    }
    const SectionRow* meant = find_section(nearest.best());
    if (meant != nullptr && meant->named) origins_.set_section(refused_section(meant->kind), line_);
    FaultLine line(*faults_, origins_.here(line_), Weight::stop, exit_code::conf);
    line.text("unknown section ").quoted(kind);
    if (!nearest.best().empty()) {
      line.text("; did you mean [").text(nearest.best()).text("]?");
    } else {
      line.text("; there are");
      for (const SectionRow& known : section_rows())
        if (!known.later) line.text(" [").text(known.name).text(known.named ? " NAME]" : "]");
    }
    return false;
  }
  if (row->later) {
    fault().text("[").text(row->name).text("] is not supported by this version");
    return false;
  }
  if (row->named && !is_section_name(name)) {
    origins_.set_section(refused_section(row->kind), line_);
    FaultLine line(*faults_, origins_.here(line_), Weight::stop, exit_code::conf);
    if (has_name)
      line.quoted(name).text(" is no name for a section; use up to 32 of a-z, 0-9 and -");
    else
      line.text("[").text(row->name).text("] needs a name of yours, such as [").text(row->name).text(" siskin]");
    return false;
  }
  if (!row->named && has_name) {
    fault().text("[").text(row->name).text("] takes no name");
    return false;
  }
  if (!find_or_add(*row, name, place_)) return false;
  if (!origins_.has_section(place_)) origins_.set_section(place_, line_);
  return true;
}

bool ConfParser::find_or_add(const SectionRow& row, string_view name, Place& place) {
  place = Place{.kind = row.kind, .index = 0};
  if (row.kind == SectionKind::webpush) return find_or_add(settings_->webpush, name, place);
  if (!row.named) return true;
  return row.kind == SectionKind::apns ? find_or_add(settings_->apns, name, place)
                                       : find_or_add(settings_->fcm, name, place);
}

template <class List>
bool ConfParser::find_or_add(List& list, string_view name, Place& place) {
  for (uint32_t i = 0; i < list.count; ++i) {
    place.index = i;
    if (list[i].name.view() == name) return true;
  }
  if (settings_->section_count() == sections_max) {
    fault().text("more than ").number(sections_max).text(" provider sections");
    return false;
  }
  place.index = list.count;
  auto& added = *list.add();
  added = {};
  GW_CHECK(added.name.assign(name));
  return true;
}

void ConfParser::read_key(string_view line) {
  if (skipping_) return;
  const size_t equals = line.find('=');
  if (equals == string_view::npos) {
    fault().text("this is neither \"key = value\" nor a [section] nor a # comment");
    return;
  }
  const string_view name = trim(slice(line, 0, equals));
  if (!in_section_) {
    fault().text("the key ").quoted(name).text(" stands before the first section; put it below one, such as [xmpp]");
    return;
  }
  const KeyRow* row = known_key(name);
  if (row == nullptr) return;
  if (origins_.has_key(place_, row->name)) {
    FaultLine twice(*faults_, origins_.here(line_), Weight::stop, exit_code::conf);
    twice.text(row->name).text(" is set a second time; keep this one or that of ");
    twice.at(origins_.key(place_, row->name));
    return;
  }
  origins_.set_key(place_, *row, line_);
  uint8_t room[line_bytes_max];
  Writer value(room);
  if (take_value(slice(line, equals + 1), value)) set(*row, value.view());
}

// The row of a key of place_; nullptr after a fault.
const KeyRow* ConfParser::known_key(string_view name) {
  const KeyRow* row = find_key(place_.kind, name);
  if (row != nullptr && row->store != nullptr) return row;
  uint8_t room[64];
  Writer section(room);
  write_section(section, *settings_, place_);
  FaultLine line(*faults_, origins_.here(line_), Weight::stop, exit_code::conf);
  if (row != nullptr) {
    line.text(row->name).text(" in ").text(section.view()).text(" is not supported by this version");
    return nullptr;
  }
  line.text("unknown key ").quoted(name).text(" in ").text(section.view());
  for (const KeyRow& other : key_rows()) {
    if (other.name != name) continue;
    line.text("; it belongs into [").text(section_rows()[static_cast<size_t>(other.section)].name);
    line.text(section_rows()[static_cast<size_t>(other.section)].named ? " NAME]" : "]");
    return nullptr;
  }
  Nearest nearest(name);
  for (const KeyRow& known : key_rows())
    if (known.section == place_.kind) nearest.offer(known.name);
  if (!nearest.best().empty()) {
    line.text("; did you mean ").text(nearest.best()).text("?");
    return nullptr;
  }
  string_view before = "; it knows ";
  for (const KeyRow& known : key_rows()) {
    if (known.section != place_.kind || known.store == nullptr) continue;
    line.text(before).text(known.name);
    before = ", ";
  }
  return nullptr;
}

// The value behind the '='; false after a fault. Never shows it: it may be a secret.
bool ConfParser::take_value(string_view rest, Writer& value) {
  const string_view behind = trim(rest);
  if (!starts_with(behind, "\"")) {
    size_t end = 0;
    while (end < rest.size() && !(rest[end] == '#' && end > 0 && is_blank(rest[end - 1]))) ++end;
    value.text(trim(slice(rest, 0, end)));
    return true;
  }
  size_t i = 1;
  for (; i < behind.size() && behind[i] != '"'; ++i) {
    if (behind[i] == '\\') {
      ++i;
      if (i == behind.size() || (behind[i] != '"' && behind[i] != '\\')) {
        fault().text("in quotes a backslash may only stand before a quote or a backslash; double it");
        return false;
      }
    }
    value.character(behind[i]);
  }
  if (i >= behind.size()) {
    fault().text("the closing quote is missing");
    return false;
  }
  const string_view after = slice(behind, i + 1);
  const string_view words = trim(after);
  if (words.empty() || (words[0] == '#' && is_blank(after[0]))) return true;
  fault().text("nothing but a comment may follow the closing quote; a quote inside is written \\\"");
  return false;
}

void ConfParser::set(const KeyRow& row, string_view value) {
  uint8_t why_room[512];
  Writer why(why_room);
  const Reading reading{.value = value,
                        .form = row.form,
                        .min = row.min,
                        .max = row.max,
                        .directory = directory_,
                        .environment = environment_,
                        .why = &why};
  if (!row.store(struct_of(*settings_, place_), reading)) fault().text(row.name).text(": ").text(why.view());
}

void ConfParser::override(string_view argument) {
  const size_t equals = argument.find('=');
  const string_view left = slice(argument, 0, equals);
  const size_t dot = left.rfind('.');
  line_ = 0;
  directory_ = {};
  const bool added = origins_.add_source(left);
  if (!added || equals == string_view::npos || dot == string_view::npos || !is_utf8(argument) ||
      find_control(argument) != string_view::npos) {
    FaultLine line(*faults_, {"-o"}, Weight::stop, exit_code::usage);
    if (!added)
      line.text("more than ").number(overrides_max).text(" overrides; put them into a conf file");
    else
      line.quoted(left).text(" is not of the form section.key=value, such as log.level=debug");
    return;
  }
  const string_view section = slice(left, 0, dot);
  const size_t slash = section.find('/');
  const string_view name = slash == string_view::npos ? string_view() : slice(section, slash + 1);
  if (!open_section(slice(section, 0, slash), name, slash != string_view::npos)) return;
  const KeyRow* row = known_key(slice(left, dot + 1));
  if (row == nullptr) return;
  if (row->form == Form::secret) {
    fault().text("a secret on the command line is visible to every user of this machine; use secret_file");
    return;
  }
  origins_.set_key(place_, *row, line_);
  set(*row, argument.size() > equals ? slice(argument, equals + 1) : string_view());
}

}  // namespace tocsin
