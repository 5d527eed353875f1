# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_results.py OUT.json [OUT.xml]: what raddle test or bench wrote about some.rad.
check_results.py OUT.json --scale FACTOR NEW.json: the same result with other times."""
import json
import sys
import xml.etree.ElementTree

result = json.load(open(sys.argv[1]))
if "--scale" in sys.argv:
    for bench in result["benches"]:
        bench["median"] *= float(sys.argv[3])
    json.dump(result, open(sys.argv[4], "w"))
    sys.exit()

passed = {"square": True, "twice doubles": True, "a wrong assertion": False, "a wrong index": False, "a kernel that fails": False,
          'after <the> "others" & more': True, "twice of 1000": True, "sum of 1000": True, "breaks": False}
kind = "tests" if "tests" in result else "benches"
rows = result[kind]
assert len(rows) == (6 if kind == "tests" else 3)
for row in rows:
    assert row["status"] == ("passed" if passed[row["name"]] else "failed"), row
    assert ("message" in row) == (not passed[row["name"]]) and row["device"] == "host" and row["line"] > 0, row
    if row["name"] == "twice of 1000":
        assert row["bytes"] == 8000 and abs(row["bytes_per_second"] * row["median"] / 8000 - 1) < 1e-9, row
    else:
        assert "bytes" not in row and "bytes_per_second" not in row, row
    if kind == "benches" and passed[row["name"]]:
        assert 0 < row["low"] <= row["median"] <= row["high"] and row["samples"] >= 5 and row["runs_per_sample"] >= 1, row
if len(sys.argv) > 2:
    suite = xml.etree.ElementTree.parse(sys.argv[2]).getroot()[0]
    assert suite.get("tests") == "6" and suite.get("failures") == "3"
    cases = {case.get("name"): case for case in suite}
    for name, ok in passed.items():
        assert name not in cases or (cases[name].find("failure") is None) == ok, name
    assert "it is 4.0" in cases["a wrong assertion"].find("failure").text
    assert cases["a wrong assertion"].find("system-out").text == "printing 3\n"
