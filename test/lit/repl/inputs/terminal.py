# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A session on a pseudo-terminal: types what a script says, and prints what the screen shows.

    terminal.py SCRIPT COMMAND...

A line of SCRIPT is typed and Return pressed; then the next prompt is waited for. Lines that begin with `@` are others:
    @keys TEXT     typed without Return, with \\t, \\e, \\x03 and so on as in Python
    @more TEXT     typed with Return where the entry goes on: no prompt follows
    @wait TEXT     until the screen shows the text (behind what was waited for before)
    @interrupt     Ctrl-C
    @size R C      the size of the terminal
A whole screen is kept, as a terminal would show it: cursor movements count, colours do not. Exit status: that of the session.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT = float(os.environ.get("RADDLE_TERMINAL_LIMIT", "60"))  # seconds to wait for something


class Screen:
    """Lines of text, of which the last `rows` can be written to."""

    def __init__(self, rows=40, columns=100):
        self.rows, self.columns = rows, columns
        self.lines = [[]]
        self.row = self.column = 0
        self.top = 0
        self.state = ""

    def write(self, text):
        for char in text:
            if self.state:
                self.state += char
                if self.state[1:2] == "[":
                    if len(self.state) > 2 and 0x40 <= ord(char) <= 0x7E:
                        self.control(self.state[2:-1], char)
                        self.state = ""
                else:
                    self.state = ""
                continue
            if char == "\x1b":
                self.state = char
            elif char == "\n":
                self.down()
            elif char == "\r":
                self.column = 0
            elif char == "\b":
                self.column = max(self.column - 1, 0)
            elif char == "\t":
                self.column = self.column // 8 * 8 + 8
            elif char >= " ":
                if self.column >= self.columns:
                    self.column = 0
                    self.down()
                line = self.lines[self.row]
                line.extend(" " * (self.column - len(line)))
                line[self.column:self.column + 1] = [char]
                self.column += 1

    def down(self, count=1):
        self.row += count
        while self.row >= len(self.lines):
            self.lines.append([])
        self.top = max(self.top, self.row - self.rows + 1)

    def control(self, parameters, kind):
        numbers = [int(part) if part.isdigit() else 0 for part in parameters.lstrip("?").split(";")]
        count = max(numbers[0], 1)
        line = self.lines[self.row]
        if kind == "A":
            self.row = max(self.row - count, self.top)
        elif kind == "B":
            self.down(count)
        elif kind == "C":
            self.column += count
        elif kind == "D":
            self.column = max(self.column - count, 0)
        elif kind == "G":
            self.column = count - 1
        elif kind == "H":
            self.row, self.column = self.top + count - 1, (max(numbers[1], 1) if len(numbers) > 1 else 1) - 1
            self.down(0)
        elif kind == "K":
            if numbers[0] == 0:
                del line[self.column:]
            elif numbers[0] == 2:
                del line[:]
        elif kind == "J":
            if numbers[0] == 0:
                del line[self.column:]
                del self.lines[self.row + 1:]
            elif numbers[0] == 2:
                del self.lines[self.top:]
                self.down(0)
        elif kind == "P":
            del line[self.column:self.column + count]
        elif kind == "@":
            line[self.column:self.column] = " " * count

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


class Session:
    def __init__(self, command, rows=40, columns=100):
        self.screen = Screen(rows, columns)
        self.raw = ""
        self.seen = 0  # of raw
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp(command[0], command)

    def resize(self, rows, columns):
        self.screen.rows, self.screen.columns = rows, columns
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """What comes within the time; False at its end."""
        ready, _, _ = select.select([self.terminal], [], [], max(seconds, 0))
        if not ready:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        if not data:
            return False
        text = data.decode("utf-8", "replace")
        self.raw += text
        self.screen.write(text)
        return True

    def wait(self, text):
        """Until the text was shown, behind what was waited for before."""
        end = time.monotonic() + LIMIT
        while True:
            plain = self.raw[self.seen:]
            found = plain.find(text)
            if found >= 0:
                self.seen += found + len(text)
                return
            if time.monotonic() > end:
                raise TimeoutError("never shown: %r; the screen:\n%s" % (text, self.screen.text()))
            if not self.read(min(0.2, end - time.monotonic())):
                raise EOFError("the session ended before it showed %r; the screen:\n%s" % (text, self.screen.text()))

    def prompt(self):
        self.wait("> ")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def settle(self, quiet=0.15):
        """Until nothing more comes for a moment."""
        before = -1
        while before != len(self.raw):
            before = len(self.raw)
            if not self.read(quiet):
                return

    def close(self):
        end = time.monotonic() + LIMIT
        while self.read(0.2) and time.monotonic() < end:
            pass
        if time.monotonic() >= end:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def unescaped(text):
    return re.sub(r"\\(e|t|n|r|\\|x[0-9a-fA-F]{2})",
                  lambda m: {"e": "\x1b", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}.get(m[1]) or chr(int(m[1][1:], 16)), text)


def main():
    session = Session(sys.argv[2:])
    try:
        session.prompt()
        with open(sys.argv[1], encoding="utf-8") as script:
            for line in script.read().split("\n"):
                if line.startswith("#"):
                    continue
                word, _, rest = line.partition(" ")
                if word == "@keys":
                    for key in re.findall(r"\t|[^\t]+", unescaped(rest)):  # a Tab in a paste is no key
                        session.type(key)
                        session.settle(0.05)
                elif word == "@more":
                    session.type(rest + "\r")
                    session.settle(0.05)
                elif word == "@wait":
                    session.wait(unescaped(rest))
                elif word == "@interrupt":
                    session.settle(0.3)  # what was typed is under way
                    session.type("\x03")
                elif word == "@size":
                    session.settle(0.3)
                    session.resize(*map(int, rest.split()))
                elif line:
                    session.settle(0.02)
                    session.seen = len(session.raw)
                    session.type(line + "\r")
                    session.settle(0.02)
                    if line != ":quit":
                        session.prompt()
        status = session.close()
    except (TimeoutError, EOFError) as problem:
        print(problem)
        os.kill(session.pid, signal.SIGKILL)
        return 99
    print(session.screen.text())
    return status


if __name__ == "__main__":
    sys.exit(main())
