# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A session whose GPU is held by a process of its own: arrays that go to and fro, and what happens when that process is killed."""
import os
import signal
import subprocess
import sys
import threading
import time

session = subprocess.Popen([sys.argv[1], "--isolate", "--device", "cuda:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, bufsize=1)
watchdog = threading.Timer(90, session.kill)  # then what is waited for below ends as well
watchdog.daemon = True
watchdog.start()


def say(entry):
    session.stdin.write(entry + "\n")
    session.stdin.flush()


def read_until(wanted):
    seen = []
    while True:
        line = session.stdout.readline()
        seen.append(line)
        assert line, "the session ended before '%s': %s" % (wanted, seen)
        if wanted in line:
            return "".join(seen)


def children():
    """The processes that the session started, and that did not end."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="ascii") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == session.pid and fields[0] != "Z":
                found.append(int(name))
    return found


# More than one message's share of bytes, which go there and come back.
say("let big = zeros[i32](5000000)")
say("big[4999999] = 7")
say("big[1 << 20] = 4")
say(":device host")
read_until("host")
say('print("moved {} {} {}", big[4999999], big[1 << 20], sum(big))')
read_until("moved 7 4 11")
say(":device cuda:0")
read_until("cuda:0")
say('print("back {}", big[4999999])')
read_until("back 7")
say("let small = zeros[f64](3)")
say("let five = 2 + 3")
say("small[9]")
read_until("index 9 is out of range")
(device,) = children()
os.kill(device, signal.SIGKILL)
say("small[1]")
seen = read_until("started afresh")
assert "the process that holds cuda:0 was ended by signal 9" in seen, seen
assert "lost: big, small" in seen, seen
say("small[1]")
read_until("its elements were lost with the device")
say('print("five is {}", five)')
read_until("five is 5")
say("let small = zeros[f64](3)")
say("small")
read_until("[0.0, 0.0, 0.0]")
say(":reset")
say("let again = zeros[f64](2)")
say("again")
read_until("[0.0, 0.0]")
(device,) = children()
# The process goes with its session, however that ends.
session.kill()
session.wait()
for _ in range(200):
    if not os.path.exists("/proc/%d" % device):
        break
    time.sleep(0.05)
assert not os.path.exists("/proc/%d" % device) or open("/proc/%d/stat" % device).read().rpartition(")")[2].split()[0] == "Z"
