#!/bin/sh
# The mechanical part of how we write: format, banned words, sizes, headers, and nothing that ties the files to one machine.
#   tools/check_style.sh [--self-test]      `make style`; one line per fault, then `N passed, N failed[, N skipped]`
# --self-test plants faults in a scratch tree and fails unless each is found.
set -u
cd "${STYLE_ROOT:-$(dirname "$0")/..}" || exit 1

clang_format_version=14  # other versions format otherwise
lines_max=400    # 500 in scripts
columns_max=120  # 150 in scripts

code() { find src port test "$@" \( -name '*.cpp' -o -name '*.h' \) 2> /dev/null | LC_ALL=C sort; }
# Everything people read and edit; not what was built or fetched.
texts() {
  find . \( -name .git -o -name 'build*' -o -name .peers -o -name __pycache__ \) -prune -o -type f ! -name '*.pyc' -print |
    sed 's|^\./||' | LC_ALL=C sort
}

# Text that is data: it may be as long and wide as it is.
data='^(test/data/.*|test/support/certs\.cpp|LICENSE)$'

# Bans in code, comments and string literals apart: pattern, tab, files it does not hold for (a pattern, - for none), tab, why.
# No libstdc++ at run time, no exceptions, no memory that is not counted: src/README.md.
bans='\.substr[(]	-	throws; slice() of base/text.h
\.at[(]	^(port/sim|test|src/registry|src/settings)/	throws; check and index (the exceptions have an at() of their own)
std::string([^_]|$)	-	allocates; FixedText or string_view
std::(w|u8|u16|u32)string([^_]|$)	-	allocates
std::(vector|map|set|multimap|multiset|unordered_[a-z_]+|deque|list|forward_list|queue|stack)[^a-z_]	-	allocates; Pool, List, arrays
std::function	-	allocates; an interface or a template
std::(unique_ptr|shared_ptr|make_unique|make_shared)	-	allocates; Pool
std::(thread|mutex|condition_variable|async|future)	-	one thread
std::(to_string|hash|regex|format|any|cout|cerr|cin)	-	needs libstdc++
#[ ]*include <(string|vector|map|set|unordered_(map|set)|deque|list|queue|functional|memory|any)>	-	allocates
#[ ]*include <(iostream|[iosf]+stream|iomanip|regex|filesystem|format|stdexcept|exception)>	-	needs libstdc++
#[ ]*include <(thread|mutex|future|condition_variable|semaphore)>	-	one thread
(^|[^a-z_0-9])new +[^(]	-	placement new only
(^|[^a-z_0-9])delete(\[\])? +[a-z_(*]	-	nothing of ours is on a heap
(^|[^a-z_0-9])delete\[	-	nothing of ours is on a heap
virtual +~	-	interfaces have protected destructors that are not virtual
(^|[^a-z_])dynamic_cast	-	no RTTI
(^|[^a-z_])typeid *[(]	-	no RTTI
(^|[^a-z_])(throw|try|catch)([^a-z_0-9]|$)	-	no exceptions
(^|[^a-z_0-9])(malloc|calloc|realloc|strdup) *[(]	^(test|port/posix|port/libc|src/crypto)/	a Heap or a Region'

# Bans in every text file, comments included. Brackets keep the patterns from finding themselves.
words='TOD[O]|FIXM[E]|XX[X]:	-	left open
(^|[^A-Za-z0-9_.])/(wor[k]|far[m]|hom[e]|User[s])/	-	a path of one machine
(^|[^A-Za-z0-9_.$}])/tm[p]/	^test/.*	a fixed name in a shared folder; mkdtemp or mktemp
\.\./share[d]	-	the project stands alone
registry[.](npmjs|yarnpkg)|proxy[.]golang|pypi[.]org|pythonhoste[d]|crates[.]io|rubygems[.]org	-	a package registry
debian[.]org/|[:]3142	-	a mirror of one place
[Cc]o-authored-b[y]|[Gg]enerated (with|b[y]) [A-Z]|language mode[l]|[Ss]ubagen[t]	-	how the text came to be does not belong here
(issu[e]|tas[k]|sessio[n]) #?[0-9]+	-	numbers of a tracker; say what it is about'

# Code without comments and literals, line by line. Raw strings are one line each in our code.
bare() { sed -E -e 's/R"([a-zA-Z]*)\(.*\)\1"/""/g' -e "s/'([^'\\\\]|\\\\.)'/' '/g" -e 's/"([^"\\]|\\.)*"/""/g' -e 's|//.*||' "$1"; }

# Sets faults; prints them.
faults=0
report() { printf '%s\n' "$1"; faults=$((faults + 1)); }
# found FILE WHY < lines of "N:text"
found() {
  while IFS= read -r line; do report "$1:${line%%:*}: $2: $(printf %s "${line#*:}" | sed 's/^[ \t]*//' | cut -c1-80)"; done
}

check_bans() {
  work=$(mktemp)
  tab=$(printf '\t')
  list=$(code)
  for file in $list; do { bare "$file" | awk -v f="$file" '{ print f ":" FNR ":" $0 }'; }; done > "$work"
  printf '%s\n' "$bans" | while IFS=$tab read -r pattern except why; do
    # #include <…> keeps its name in bare code; the pattern stands at the start of the code part.
    awk -v pattern="$pattern" -v except="$except" -v why="$why" '{
      text = $0; sub(/^[^:]*:[0-9]*:/, "", text)
      if (text ~ pattern) { where = substr($0, 1, length($0) - length(text)); file = where; sub(/:.*/, "", file)
        if (except == "-" || file !~ except) { sub(/^[ \t]+/, "", text); print where " " why ": " substr(text, 1, 80) } } }' "$work"
  done
  rm -f "$work"
}

check_words() {
  tab=$(printf '\t')
  printf '%s\n' "$words" | while IFS=$tab read -r pattern except why; do
    texts | grep -vE "^LICENSE$|^test/data/" | { [ "$except" = - ] && cat || grep -vE "$except"; } | tr '\n' '\0' |
      xargs -0r grep -nIE -e "$pattern" /dev/null | awk -v why="$why" '{
        where = $0; sub(/:[0-9]+:.*/, "", where); rest = substr($0, length(where) + 2); n = rest; sub(/:.*/, "", n)
        print where ":" n ": " why ": " substr(rest, length(n) + 2, 80) }'
  done
}

# Length, width, blanks, tabs, and the head of headers.
check_shape() {
  texts | grep -vE "$data" | grep -E '\.(cpp|h|py|sh|md|conf|service|mk|txt|sysusers)$|(^|/)(Makefile|run)$' | tr '\n' '\0' |
    xargs -0r awk -v lines_max=$lines_max -v columns_max=$columns_max '
      function fault(line, why) { print file ":" line ": " why }
      # Characters, not bytes: the continuation bytes of UTF-8 are not counted.
      function width(text) { gsub(/[\200-\277]/, "", text); return length(text) }
      function end() {
        most = file ~ /^(src|port|test)\/.*\.(cpp|h)$/ ? lines_max : lines_max + 100
        if (file !~ /\.md$/ && lines > most) fault(lines, "over " most " lines; does it hold one idea?")
        if (file ~ /\.h$/ && !pragma) fault(1, "no #pragma once")
      }
      FNR == 1 {
        if (file != "") end()
        file = FILENAME
        pragma = 0
        made = file ~ /(Makefile|\.mk)$/
        wide = columns_max + (file ~ /\.(cpp|h|conf)$/ ? 0 : 30)
        if (file ~ /\.h$/ && $0 !~ /^\/\/ ./) fault(1, "a header begins with a comment that says what it is for")
      }
      { lines = FNR }
      /^#pragma once/ { pragma = 1 }
      /\t/ && !(made && /^\t/) && file !~ /check_style\.sh$/ { fault(FNR, "a tab") }
      /[ \t]$/ { fault(FNR, "blanks at the end") }
      # A word that cannot be broken may be as long as it is.
      function breakable(  i) { for (i = 1; i <= NF; i++) if (length($i) > 100) return file ~ /\.cpp$/; return 1 }
      file !~ /\.md$/ && width($0) > wide && breakable() { fault(FNR, "over " wide " columns") }
      END { if (file != "") end() }'
}

check_format() {
  tool=$(command -v clang-format-$clang_format_version || command -v clang-format) || return 2
  "$tool" --version | grep -q "version $clang_format_version\." || return 2
  code tools | xargs -r "$tool" --dry-run -Werror --ferror-limit=1 2>&1 | grep -E 'error:' | sed 's/ \[-Wclang.*//; s/error: //'
  return 0
}

check() {
  passed=0 failed=0 skipped=0
  for part in bans words shape format; do
    lines=$(LC_ALL=C check_$part)
    case $?-$lines in
      2-) skipped=$((skipped + 1))
         echo "SKIPPED: clang-format $clang_format_version is not here, so the format is not checked; make setup installs it" ;;
      *-?*) failed=$((failed + 1)); printf '%s\n' "$lines" ;;
      *) passed=$((passed + 1)) ;;
    esac
  done
  printf '%d passed, %d failed' $passed $failed
  [ $skipped = 0 ] || printf ', %d skipped' $skipped
  printf '\n'
  [ $failed = 0 ]
}

self_test() {
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  mkdir -p "$tree/src/base" "$tree/port" "$tree/test"
  cp .clang-format "$tree"
  number=0
  # plant KIND WORDS TEXT: a file with a fault whose report must hold WORDS; without WORDS the file is clean
  plant() {
    number=$((number + 1))
    printf '%b' "$3" > "$tree/src/base/planted_$number.$1"
    printf 'src/base/planted_%s.%s\t%s\n' $number "$1" "$2" >> "$tree/expected.tsv"
  }
  plant cpp '' '// substr( and throw in a comment, std::vector too.\nconst char* a = "new words, .at(1) \\" delete it";\n'
  plant cpp '' 'struct A {\n  A(const A&) = delete;\n};\nA* a = new (room) A{};\nstd::string_view b;\n'
  plant h '' '// What it is for.\n#pragma once\n'
  plant h 'says what it is for' '#pragma once\n'
  plant h 'no #pragma once' '// What it is for.\nint a;\n'
  plant cpp 'throws' 'auto a = b.substr(1);\n'
  plant cpp 'throws' 'auto a = b.at(1);\n'
  plant cpp 'allocates' 'std::string a;\n'
  plant cpp 'allocates' 'std::vector<int> a;\n'
  plant cpp 'allocates' '#include <vector>\n'
  plant cpp 'allocates' 'std::function<void()> a;\n'
  plant cpp 'placement new' 'int* a = new int;\n'
  plant cpp 'on a heap' 'void f(int* a) { delete a; }\n'
  plant cpp 'not virtual' 'struct A {\n  virtual ~A();\n};\n'
  plant cpp 'RTTI' 'auto* a = dynamic_cast<A*>(b);\n'
  plant cpp 'no exceptions' 'void f() { throw 1; }\n'
  plant cpp 'a Heap' 'void* a = malloc(1);\n'
  plant cpp 'one thread' 'std::thread a;\n'
  plant cpp 'left open' "// TOD""O: more\n"
  plant cpp 'one machine' "// see /hom""e/ann/notes\n"
  plant cpp 'shared folder' "const char* a = \"/tm""p/a\";\n"
  plant cpp 'registry' "// from registry"".npmjs.org\n"
  plant cpp 'a tab' 'int a;\t// why\n'
  plant cpp 'blanks' 'int a; \n'
  plant cpp 'columns' "// $(printf '%0130d' 0)\n"
  plant cpp 'lines' "$(printf 'int a;\\n%.0s' $(seq 401))"
  if check_format > /dev/null; then plant cpp 'should be clang-formatted' 'int   a;\n'; fi
  STYLE_ROOT=$tree "$self" > "$tree/found.tsv"
  # found.tsv: FILE:LINE: why…
  awk -F '\t' '
    FILENAME ~ /found/ { file = $0; sub(/:.*/, "", file); found[file] = found[file] "\n    " $0; next }
    {
      good = $2 == "" ? !($1 in found) : index(found[$1], $2)
      if (good) passed++
      else { failed++; printf "self-test: %s: expected \"%s\", found:%s\n", $1, $2, found[$1] }
    }
    END { printf "%d passed, %d failed\n", passed, failed; exit (failed > 0) }' "$tree/found.tsv" "$tree/expected.tsv"
}

self=$PWD/tools/check_style.sh
case ${1:-} in
  --self-test) self_test ;;
  '') check ;;
  *) echo 'usage: tools/check_style.sh [--self-test]' >&2; exit 64 ;;
esac
