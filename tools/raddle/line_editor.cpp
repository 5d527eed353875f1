// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/line_editor.h"

#include "runtime/base/interrupt.h"

#include <histedit.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rad::tool {
namespace {

constexpr size_t historyKept = 10000;  // entries in the file
/// A key that nobody types: ends the entry, wherever the cursor is (Ctrl-_).
constexpr const char* finishKey = "\x1f";

/// What a signal handler tells whoever waits for keys: a byte a signal.
int wakePipe[2] = {-1, -1};

void tell(char what) {
  const int saved = errno;
  [[maybe_unused]] auto written = ::write(wakePipe[1], &what, 1);
  errno = saved;
}
void onInterrupt(int) {
  rt::Interrupt::request();
  tell('c');
}
void onResize(int) { tell('w'); }
void onContinue(int) { tell('g'); }

/// One line in the file: newlines and backslashes of the entry are escaped.
std::string escapedEntry(std::string_view entry) {
  std::string out;
  for (char c : entry) {
    if (c == '\\') out += "\\\\";
    else if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

std::string unescapedEntry(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool isEscape = line[i] == '\\' && i + 1 < line.size();
    out += !isEscape ? line[i] : line[++i] == 'n' ? '\n' : line[i];
  }
  return out;
}

/// Where the next line of an unfinished entry begins: four blanks for each bracket that is open.
std::string indentOf(std::string_view text) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\') ++i;
      else if (c == quote || c == '\n') quote = 0;
    } else if (c == '"') quote = c;
    else if (c == '/' && i + 1 < text.size() && text[i + 1] == '/') i = std::min(text.find('\n', i), text.size()) - 1;
    else if (c == '{' || c == '(' || c == '[') ++depth;
    else if (c == '}' || c == ')' || c == ']') --depth;
  }
  return std::string(static_cast<size_t>(std::clamp(depth, 0, 16)) * 4, ' ');
}

/// Characters of UTF-8, as the editor counts.
int charactersIn(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// How many rows of so many columns lie above the last character of a prompt and a text. In the prompt, what stands
/// between two \1 takes no column.
unsigned rowsAbove(std::string_view prompt, std::string_view text, unsigned columns) {
  unsigned row = 0, column = 0;
  auto put = [&](unsigned width) {
    if (column + width > columns) ++row, column = 0;
    column += width;
    if (column == columns) ++row, column = 0;  // the editor goes on in the next row at once
  };
  bool isHidden = false;
  for (char c : prompt) {
    if (c == '\1') isHidden = !isHidden;
    else if (!isHidden) put(1);
  }
  std::mbstate_t state{};
  for (size_t at = 0; at < text.size();) {
    wchar_t c = 0;
    const size_t used = std::mbrtowc(&c, text.data() + at, text.size() - at, &state);
    const bool isCharacter = used != static_cast<size_t>(-1) && used != static_cast<size_t>(-2);
    at += isCharacter ? std::max<size_t>(used, 1) : 1;
    if (!isCharacter) state = {};
    if (c == L'\n') ++row, column = 0;
    else put(isCharacter ? static_cast<unsigned>(std::max(::wcwidth(c), 0)) : 1);
  }
  return row;
}

/// Something can be read at once: what is being typed comes from a paste.
bool isPasting() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) == 1 && (input.revents & POLLIN);
}

}  // namespace

unsigned terminalColumns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

struct LineEditor::Impl {
  Hooks hooks;
  std::string historyFile, prompt;
  EditLine* line = nullptr;
  History* history = nullptr;
  HistEvent event{};
  std::string lastEntry;
  std::mbstate_t decoding{};
  unsigned columns = 80;  // of the terminal, when the entry was drawn
  bool interrupted = false;

  static Impl& of(EditLine* line) {
    void* data = nullptr;
    el_get(line, EL_CLIENTDATA, &data);
    return *static_cast<Impl*>(data);
  }

  std::string text() const {
    const LineInfo* info = el_line(line);
    return {info->buffer, info->lastchar};
  }
  size_t cursor() const {
    const LineInfo* info = el_line(line);
    return static_cast<size_t>(info->cursor - info->buffer);
  }

  int readKey(wchar_t* key);
  void resize();
  unsigned char finish();
  unsigned char newLine();
  unsigned char complete();
  unsigned char close(char bracket);
  unsigned char vertical(bool up);
  unsigned char toEdge(bool isEnd);
  void remember(const std::string& entry);
  void loadHistory();
};

int LineEditor::Impl::readKey(wchar_t* key) {
  for (;;) {
    pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {wakePipe[0], POLLIN, 0}};
    if (::poll(sources, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (sources[1].revents & POLLIN) {
      char what = 0;
      if (::read(wakePipe[0], &what, 1) == 1) {
        if (what == 'c') {
          interrupted = true;
          errno = EINTR;
          return -1;
        }
        if (what == 'w') resize();
        if (what == 'g') {  // stopped and continued: the shell has set the terminal back
          el_set(line, EL_PREP_TERM, 0);
          el_set(line, EL_PREP_TERM, 1);
          el_set(line, EL_REFRESH);
        }
      }
      continue;
    }
    char byte = 0;
    const auto got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return static_cast<int>(got);
    const size_t used = std::mbrtowc(key, &byte, 1, &decoding);
    if (used == static_cast<size_t>(-2)) continue;  // more bytes of this character follow
    if (used == static_cast<size_t>(-1)) {
      decoding = {};
      *key = L'?';
    }
    return 1;
  }
}

/// Draws the entry anew in a terminal of another width. Some terminals wrap what is shown anew, others leave it: the
/// drawing begins where it does in both, so that nothing of what stands above is lost.
void LineEditor::Impl::resize() {
  const unsigned fresh = terminalColumns();
  const std::string before = text().substr(0, cursor());
  const unsigned rows = std::min(rowsAbove(prompt, before, columns), rowsAbove(prompt, before, fresh));
  if (rows > 0) std::fprintf(stdout, "\033[%uA", rows);
  std::fputs("\r\033[J", stdout);
  columns = fresh;
  el_resize(line);
  el_set(line, EL_REFRESH);
}

unsigned char LineEditor::Impl::finish() {
  const std::string all = text();
  const bool isBlank = all.find_first_not_of(" \t\r\n") == std::string::npos;
  if (isBlank || hooks.isComplete(all)) {
    el_push(line, finishKey);
    return CC_NORM;
  }
  return newLine();
}

unsigned char LineEditor::Impl::newLine() {
  const std::string before = text().substr(0, cursor());
  el_insertstr(line, ("\n" + (isPasting() ? "" : indentOf(before))).c_str());
  return CC_REFRESH;
}

/// To the line above or below within the entry; beyond its ends through the history.
unsigned char LineEditor::Impl::vertical(bool up) {
  const std::string all = text();
  const size_t at = cursor();
  const size_t begin = all.rfind('\n', at == 0 ? 0 : at - 1);
  const bool hasAbove = at > 0 && begin != std::string::npos && begin < at;
  const size_t lineBegin = hasAbove ? begin + 1 : 0, lineEnd = std::min(all.find('\n', at), all.size());
  if (up ? !hasAbove : lineEnd == all.size()) {
    el_push(line, up ? "\x10" : "\x0e");
    return CC_NORM;
  }
  const size_t column = at - lineBegin;
  size_t target = 0;
  if (up) {
    const size_t aboveEnd = lineBegin - 1;
    const size_t above = aboveEnd == 0 ? std::string::npos : all.rfind('\n', aboveEnd - 1);
    const size_t aboveBegin = above == std::string::npos ? 0 : above + 1;
    target = std::min(aboveBegin + column, aboveEnd);
  } else {
    const size_t belowBegin = lineEnd + 1, belowEnd = std::min(all.find('\n', belowBegin), all.size());
    target = std::min(belowBegin + column, belowEnd);
  }
  el_cursor(line, charactersIn(all.substr(0, target)) - charactersIn(all.substr(0, at)));
  return CC_REFRESH;
}

/// To the begin or the end of the line, of several.
unsigned char LineEditor::Impl::toEdge(bool isEnd) {
  const std::string all = text();
  const size_t at = cursor();
  if (isEnd) {
    el_cursor(line, charactersIn(all.substr(at, all.find('\n', at) - at)));
  } else {
    const size_t begin = at == 0 ? 0 : all.rfind('\n', at - 1) + 1;
    el_cursor(line, -charactersIn(all.substr(begin, at - begin)));
  }
  return CC_CURSOR;
}

/// A bracket that closes, typed on a line of its own, stands where the line of its opening one begins.
unsigned char LineEditor::Impl::close(char bracket) {
  const std::string all = text();
  const size_t at = cursor(), lineBegin = at == 0 ? 0 : all.rfind('\n', at - 1) + 1;
  if (lineBegin > 0 && at > lineBegin && all.find_first_not_of(' ', lineBegin) >= at) {
    const std::string indent = indentOf(all.substr(0, at) + bracket);
    if (indent.size() < at - lineBegin) el_deletestr(line, static_cast<int>(at - lineBegin - indent.size()));
  }
  el_insertstr(line, std::string(1, bracket).c_str());
  return CC_REFRESH;
}

unsigned char LineEditor::Impl::complete() {
  const std::string all = text();
  const size_t at = cursor();
  const size_t lineBegin = at == 0 ? 0 : all.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  const bool isIndent = all.find_first_not_of(" \t", lineBegin) >= at;
  if (isPasting() || (isIndent && !all.starts_with(':'))) {
    el_insertstr(line, "    ");
    return CC_REFRESH;
  }
  const Completion found = hooks.complete(all, at);
  if (found.names.empty()) return CC_ERROR;
  std::string common = found.names.front();
  for (const std::string& name : found.names) {
    const auto [end, other] = std::mismatch(common.begin(), common.end(), name.begin(), name.end());
    common.erase(end, common.end());
  }
  const std::string_view typed = std::string_view(all).substr(found.begin, at - found.begin);
  if (common.size() > typed.size()) {
    el_insertstr(line, common.substr(typed.size()).c_str());
    return found.names.size() == 1 ? CC_REFRESH : CC_REFRESH_BEEP;
  }
  if (found.names.size() == 1) return CC_NORM;
  size_t width = 0;
  for (const std::string& name : found.names) width = std::max(width, name.size() + 2);
  const size_t columns = std::max<size_t>(terminalColumns() / width, 1),
               rows = (found.names.size() + columns - 1) / columns;
  std::string shown = "\n";
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns && column * rows + row < found.names.size(); ++column) {
      const std::string& name = found.names[column * rows + row];
      const bool isLast = (column + 1) * rows + row >= found.names.size();
      shown += isLast ? name : name + std::string(width - name.size(), ' ');
    }
    shown += '\n';
  }
  std::fputs(shown.c_str(), stdout);
  std::fflush(stdout);
  return CC_REDISPLAY;
}

void LineEditor::Impl::loadHistory() {
  std::ifstream file(historyFile);
  std::vector<std::string> entries;
  for (std::string stored; std::getline(file, stored);)
    if (!stored.empty()) entries.push_back(unescapedEntry(stored));
  if (entries.size() > historyKept) {
    // Rewritten in one step, so that a session beside this one never sees half of it.
    entries.erase(entries.begin(), entries.end() - static_cast<ptrdiff_t>(historyKept));
    const std::string fresh = historyFile + ".new" + std::to_string(::getpid());
    std::ofstream out(fresh);
    for (const std::string& entry : entries) out << escapedEntry(entry) << '\n';
    out.close();
    std::error_code ignored;
    if (out) std::filesystem::rename(fresh, historyFile, ignored);
    else std::filesystem::remove(fresh, ignored);
  }
  for (const std::string& entry : entries) ::history(history, &event, H_ENTER, entry.c_str());
  if (!entries.empty()) lastEntry = entries.back();
}

void LineEditor::Impl::remember(const std::string& entry) {
  if (entry.find_first_not_of(" \t\r\n") == std::string::npos || entry == lastEntry) return;
  lastEntry = entry;
  ::history(history, &event, H_ENTER, entry.c_str());
  if (historyFile.empty()) return;
  // One write of a whole line: sessions beside each other do not mix theirs.
  const int file = ::open(historyFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;  // a history that cannot be kept is no reason to stop
  const std::string stored = escapedEntry(entry) + "\n";
  [[maybe_unused]] auto written = ::write(file, stored.data(), stored.size());
  ::close(file);
}

LineEditor::LineEditor(Hooks hooks, std::string historyFile) : impl_(std::make_unique<Impl>()) {
  impl_->hooks = std::move(hooks);
  impl_->historyFile = std::move(historyFile);
  // Numbers stay as they are: only the characters of the terminal are the locale's.
  if (!std::setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  if (!impl_->historyFile.empty()) {
    std::error_code ignored;
    const auto folder = std::filesystem::path(impl_->historyFile).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  }
  if (::pipe2(wakePipe, O_CLOEXEC | O_NONBLOCK) == 0) {
    struct sigaction action{};
    action.sa_flags = SA_RESTART;
    action.sa_handler = onInterrupt;
    ::sigaction(SIGINT, &action, nullptr);
    action.sa_handler = onResize;
    ::sigaction(SIGWINCH, &action, nullptr);
    action.sa_handler = onContinue;
    ::sigaction(SIGCONT, &action, nullptr);
  }

  impl_->history = history_init();
  ::history(impl_->history, &impl_->event, H_SETSIZE, static_cast<int>(historyKept));
  EditLine* line = impl_->line = el_init("raddle", stdin, stdout, stderr);
  el_set(line, EL_CLIENTDATA, impl_.get());
  el_set(line, EL_SIGNAL, 0);
  el_set(line, EL_EDITOR, "emacs");
  el_set(line, EL_HIST, ::history, impl_->history);
  // Between these two characters stands what takes no column.
  el_set(line, EL_PROMPT_ESC, +[](EditLine* at) { return Impl::of(at).prompt.data(); }, '\1');
  el_set(line, EL_GETCFN, +[](EditLine* at, wchar_t* key) { return Impl::of(at).readKey(key); });
  using Key = unsigned char (*)(EditLine*, int);
  el_set(line, EL_ADDFN, "raddle-return", "ends an entry that is complete",
         Key([](EditLine* at, int) { return Impl::of(at).finish(); }));
  el_set(line, EL_ADDFN, "raddle-newline", "begins a line",
         Key([](EditLine* at, int) { return Impl::of(at).newLine(); }));
  el_set(line, EL_ADDFN, "raddle-complete", "completes a name",
         Key([](EditLine* at, int) { return Impl::of(at).complete(); }));
  el_set(line, EL_ADDFN, "raddle-up", "line above, or history",
         Key([](EditLine* at, int) { return Impl::of(at).vertical(true); }));
  el_set(line, EL_ADDFN, "raddle-down", "line below, or history",
         Key([](EditLine* at, int) { return Impl::of(at).vertical(false); }));
  el_set(line, EL_ADDFN, "raddle-close", "a bracket that closes",
         Key([](EditLine* at, int key) { return Impl::of(at).close(static_cast<char>(key)); }));
  el_set(line, EL_ADDFN, "raddle-begin", "begin of the line",
         Key([](EditLine* at, int) { return Impl::of(at).toEdge(false); }));
  el_set(line, EL_ADDFN, "raddle-end", "end of the line",
         Key([](EditLine* at, int) { return Impl::of(at).toEdge(true); }));
  const char* const bindings[][2] = {{"\n", "raddle-return"},       {"\r", "raddle-return"},
                                     {finishKey, "ed-newline"},     {"\t", "raddle-complete"},
                                     {"}", "raddle-close"},         {"]", "raddle-close"},
                                     {")", "raddle-close"},         {"\033\r", "raddle-newline"},
                                     {"\033\n", "raddle-newline"},  {"\033[A", "raddle-up"},
                                     {"\033OA", "raddle-up"},       {"\033[B", "raddle-down"},
                                     {"\033OB", "raddle-down"},     {"\033[H", "raddle-begin"},
                                     {"\033[F", "raddle-end"},      {"\033OH", "raddle-begin"},
                                     {"\033OF", "raddle-end"},      {"\001", "raddle-begin"},
                                     {"\005", "raddle-end"},        {"\033[3~", "ed-delete-next-char"},
                                     {"\033[1;5C", "em-next-word"}, {"\033[1;5D", "ed-prev-word"},
                                     {"\022", "em-inc-search-prev"}};
  for (const auto& [key, command] : bindings) el_set(line, EL_BIND, key, command, nullptr);
  impl_->loadHistory();
}

LineEditor::~LineEditor() {
  el_end(impl_->line);
  history_end(impl_->history);
}

LineEditor::End LineEditor::read(const std::string& prompt, std::string& entry) {
  impl_->prompt = prompt;
  impl_->interrupted = false;
  impl_->decoding = {};
  char waiting[16];
  while (::read(wakePipe[0], waiting, sizeof waiting) > 0) {
  }  // a Ctrl-C that came while something ran has done its work
  rt::Interrupt::clear();
  impl_->columns = terminalColumns();
  el_resize(impl_->line);                // what told of it may have come while something ran
  el_set(impl_->line, EL_PREP_TERM, 1);  // before the prompt: what is typed from there on is edited, not echoed
  int size = 0;
  const char* text = el_gets(impl_->line, &size);
  if (impl_->interrupted) {
    std::string typed = impl_->text();
    impl_->remember(typed);
    std::fputs("^C\n", stdout);
    std::fflush(stdout);
    el_reset(impl_->line);
    rt::Interrupt::clear();
    return End::Interrupted;
  }
  if (!text || size <= 0) return End::Closed;
  entry.assign(text, static_cast<size_t>(size));
  while (!entry.empty() && (entry.back() == '\n' || entry.back() == '\r')) entry.pop_back();
  impl_->remember(entry);
  return End::Entry;
}

std::string LineEditor::defaultHistoryFile() {
  if (const char* file = std::getenv("RADDLE_HISTORY")) return file;
  if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state) return std::string(state) + "/raddle/history";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.local/state/raddle/history";
  return {};
}

}  // namespace rad::tool
