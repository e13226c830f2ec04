"""`atspec diff` on the command line: what it reads, what it prints, what it is told to accept."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from diff_pairs import BASE
from support import REPOSITORY, SHIPPED
from atspec.cli import main
from atspec.diff.rules import RULES, SEVERITIES

OTHER = (BASE.replace("most: {type: integer, range: 1..100", "most: {type: integer, range: 1..50")
         .replace("code: {type: integer, range: 0..9", "code: {type: integer, range: 0..99")
         .replace("age: {type: integer, range: 0..99", "age: {type: integer, range: 0..90")
         .replace("doc: Close a link", "doc: Close it"))
# Rule and path of what changed, worst first.
CHANGED = [("T204", "parameters.most"), ("R310", "parameters.code"), ("R311", "parameters.age"), ("D400", "commands.SHUT")]


class Diff(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.write("old.yaml", BASE)
        self.write("new.yaml", OTHER)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def diff(self, *args: str, cwd: str = ".") -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder / cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(["diff", *args])
            except SystemExit as e:     # usage
                status = int(str(e.code))
        return status, out.getvalue(), err.getvalue()

    def changes(self, *args: str) -> Any:
        status, out, _ = self.diff(*args, "--format", "json")
        self.assertEqual(status, 0)
        return json.loads(out)["changes"]


class Formats(Diff):
    def test_text(self) -> None:
        status, out, err = self.diff("old.yaml", "new.yaml")
        self.assertEqual((status, err), (0, ""))
        line = 1 + BASE[:BASE.index("  most: {")].count("\n")
        self.assertIn("\nbreaking (1)\n  T204 sent-range-narrowed  parameters.most  WIRE-TX\n"
                      "    <most> may only be 1..50, and was 1..100: calls that worked are refused\n"
                      "    -> Check what the program sets most of struct tiny_read to\n"
                      f"    old.yaml:{line} -> new.yaml:{line}\n", out)
        self.assertTrue(out.endswith("\n1 breaking, 1 risky, 1 safe, 1 doc\n"), out)
        places = [out.index(f"\n{severity} (1)\n") for severity in SEVERITIES]
        self.assertEqual(places, sorted(places))

    def test_nothing(self) -> None:
        self.assertEqual(self.diff("old.yaml", "old.yaml"), (0, "old.yaml -> old.yaml\n\nno changes\n", ""))

    def test_json(self) -> None:
        status, out, _ = self.diff("old.yaml", "new.yaml", "--format", "json")
        found = json.loads(out)
        self.assertEqual(list(found), ["old", "new", "counts", "changes", "stale"])
        self.assertEqual(found["counts"], {"breaking": 1, "risky": 1, "safe": 1, "doc": 1})
        self.assertEqual([(c["rule"], c["path"]) for c in found["changes"]], CHANGED)
        first = found["changes"][0]
        self.assertEqual({k: first[k] for k in ("name", "category", "severity", "before", "after", "c", "uses", "accepted")}, {
            "name": "sent-range-narrowed", "category": "WIRE-TX", "severity": "breaking", "before": "1..100",
            "after": "1..50", "c": ["most of struct tiny_read"], "uses": ["commands.READ.set.most"], "accepted": None})

    def test_markdown_is_grouped_by_command(self) -> None:
        _, out, _ = self.diff("old.yaml", "new.yaml", "--format", "markdown")
        headings = re.findall(r"^#+ (.*)$", out, re.M)
        self.assertEqual(headings, ["new.yaml", "AT+READ", "AT+SHUT", "Parameters", "Unsolicited result codes"])
        section = out[out.index("### AT+READ"):].split("\n\n")[1].splitlines()
        self.assertEqual(section[0], "| Change | What to do | Severity | Rule |")
        self.assertEqual(section[2], "| \\<most\\> may only be 1..50, and was 1..100: calls that worked are refused "
                                     "| Check what the program sets most of struct tiny_read to | breaking | T204 `parameters.most` |")

    HOSTILE = r'''"a | b `<img src=x>` [l](u)\\| &lt; \e[31m \x9b \u202e c\n\n## d"'''       # as YAML writes it

    def hostile(self, *args: str) -> str:
        """What is printed of specs whose every text that is free is like that."""
        self.write("old.yaml", BASE)
        self.write("new.yaml", BASE.replace("title: Tiny module", f"title: {self.HOSTILE}").replace("title: Close", f"title: {self.HOSTILE}")
                   .replace("text: lost", f"text: {self.HOSTILE}").replace("a number is more than a text}]", f"{self.HOSTILE}}}]")
                   .replace("use: nothing", f"use: {self.HOSTILE}").replace("unit: s", f"unit: {self.HOSTILE}")
                   .replace("[READY, HELLO]", f"[READY, {self.HOSTILE}]").replace("nobody used it", self.HOSTILE))
        self.write("accepted.yaml", f"accepted:\n  - {{rule: D403, path: title, because: {self.HOSTILE}, by: {self.HOSTILE}}}\n"
                   f"  - {{rule: D403, path: {self.HOSTILE}, because: so}}\n")
        status, out, err = self.diff("old.yaml", "new.yaml", "--accepted", "accepted.yaml", *args)
        self.assertEqual(status, 0, err)
        for line in (out + err).splitlines():
            self.assertTrue(line.isprintable(), repr(line))
        self.assertEqual(err.count("\n"), 1)
        return out

    def test_no_text_moves_the_terminal(self) -> None:
        text = r"a | b `<img src=x>` [l](u)\| &lt; \x1b[31m \x9b \u202e c\n\n## d"
        out = self.hostile()
        self.assertIn(f"    commands.OLD: {text}; was: nobody used it\n", out)
        self.assertIn(f"  D405 example-changed  examples.{text}  DOC\n", out)
        self.assertIn(f"  D403 manual-changed  title: {text}, {text}\n", out)
        lines = self.diff("old.yaml", "old.yaml+\x1b.yaml")[2].splitlines()
        self.assertEqual(lines, [r"atspec: old.yaml+\x1b.yaml: no such file"])

    def test_no_text_is_markdown(self) -> None:
        out = self.hostile("--format", "markdown")
        found = self.changes("old.yaml", "new.yaml")
        rows = [line for line in out.splitlines() if re.search(r"\| [STRD]\d{3} [^|]*", line)]
        self.assertEqual(len(rows), len(found))
        for row in rows:
            cells = re.split(r"(?<!\\)(?:\\\\)*\|", row)      # a bar behind an even number of backslashes
            self.assertEqual((len(cells), cells[0], cells[-1]), (6, "", ""), row)
            without = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)|</?code>", "", cells[4])   # the path alone is code
            for words in (*cells[1:4], without):
                self.assertNotRegex(words, r"(?<!\\)(?:\\\\)*[`<>\[\]*]|&(?!amp;)", row)
        self.assertEqual([line for line in out.splitlines() if "## d" in line or "img" in line and not line.startswith("| ")], [])

    def test_a_shared_parameter_is_one_finding(self) -> None:
        self.write("new.yaml", BASE.replace("id: {type: integer, range: 0..4", "id: {type: integer, range: 0..9"))
        found = [c for c in self.changes("old.yaml", "new.yaml") if c["rule"] == "T203"]
        self.assertEqual([c["path"] for c in found], ["parameters.id"])
        self.assertIn("commands.SEND.forms.prompted.id", found[0]["uses"])
        self.assertEqual(found[0]["group"], "Parameters")

    def test_always_the_same(self) -> None:
        runs = {subprocess.run([sys.executable, "-B", str(REPOSITORY / "gen" / "atspec"), "diff", "old.yaml", "new.yaml"],
                               capture_output=True, cwd=self.folder, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
                for seed in ("1", "2", "3")}
        self.assertEqual(len(runs), 1)


class Meaning(Diff):
    """What a finding says is what a program needs."""

    def message(self, old: str, new: str, rule: str) -> tuple[str, str]:
        self.write("new.yaml", BASE.replace(old, new))
        self.assertNotEqual(BASE, (self.folder / "new.yaml").read_text())
        return next((c["message"], c["action"]) for c in self.changes("old.yaml", "new.yaml") if c["rule"] == rule)

    def test_a_member_that_is_needed_now(self) -> None:
        self.assertEqual(self.message("'AT+LIST=<id>'", "'AT+LIST=<id>,<age>'", "S121"), (
            "age of struct tiny_list_one is new and always sent: <age> of LIST.one",
            "Initialise age of struct tiny_list_one; it compiles without, and sends nothing sensible"))

    def test_what_is_deleted_without_a_word(self) -> None:
        self.assertEqual(self.message(", 2: {name: LOST, text: lost}", "", "S180")[1],
                         "Add to the new spec under `reserved`: - {path: values.state.entries.2, names: [STATE_LOST], because: ...}")

    def test_what_is_deleted_with_a_reason(self) -> None:
        self.write("old.yaml", BASE)
        self.write("new.yaml", BASE.replace(", 2: {name: LOST, text: lost}", "")
                   + "  - {path: values.state.2, because: no link was ever lost}\n")
        action = next(c["action"] for c in self.changes("old.yaml", "new.yaml") if c["rule"] == "S143")
        self.assertEqual(action, "Replace TINY_STATE_LOST where it is used (reserved: no link was ever lost)")

    def test_a_default_is_one_finding(self) -> None:
        self.write("new.yaml", BASE.replace("response_time: 300 ms", "response_time: 500 ms"))
        self.assertEqual([(c["rule"], c["path"], c["message"]) for c in self.changes("old.yaml", "new.yaml")], [
            ("R350", "defaults.response_time", "defaults.response_time lasts 500 ms (before: lasts 300 ms)")])

    def test_limits_say_what_they_count(self) -> None:
        self.assertEqual(self.message("max: 50, doc: Whom", "max: 40, doc: Whom", "T204")[0],
                         "<peer> may only be up to 40 characters, and was up to 50 characters: calls that worked are refused")
        self.assertEqual(self.message("hex: 50}", "hex: 40}", "T221")[0], "SEND.inline takes only 40 bytes in hexadecimal digits, "
                         "and took 50 bytes in hexadecimal digits: calls that worked are refused")

    def test_enumerators_go_by_their_names(self) -> None:
        """One that another value has now is no other name to rename it to, and is neither new nor gone."""
        states = "{0: {name: IDLE, text: idle}, 1: {name: BUSY, text: busy}, 2: {name: LOST, text: lost}}"
        idle, busy, lost = "values.state.entries.0", "values.state.entries.1", "values.state.entries.2"
        for new, wanted in {
            # swapped
            "{0: {name: IDLE, text: idle}, 1: {name: LOST, text: lost}, 2: {name: BUSY, text: busy}}":
                {("S145", busy, "2", "1"), ("S145", lost, "1", "2"),
                 ("R317", busy, "TINY_STATE_BUSY", "TINY_STATE_LOST"), ("R317", lost, "TINY_STATE_LOST", "TINY_STATE_BUSY")},
            # moved up by a new one
            "{0: {name: IDLE, text: idle}, 1: {name: HELD, text: held}, 2: {name: BUSY, text: busy}, 3: {name: LOST, text: lost}}":
                {("S142", busy, "none", ""), ("S145", lost, "1", "2"), ("S145", "values.state.entries.3", "2", "3"),
                 ("R312", "values.state.entries.3", "none", ""),
                 ("R317", busy, "TINY_STATE_BUSY", "TINY_STATE_HELD"), ("R317", lost, "TINY_STATE_LOST", "TINY_STATE_BUSY")},
            # moved down: what went has left its place to another
            "{0: {name: BUSY, text: busy}, 1: {name: LOST, text: lost}}":
                {("S143", idle, "", "none"), ("S145", idle, "1", "0"), ("S145", busy, "2", "1"),
                 ("S180", lost, lost, "none"), ("R313", lost, "", "none"),
                 ("R317", idle, "TINY_STATE_IDLE", "TINY_STATE_BUSY"), ("R317", busy, "TINY_STATE_BUSY", "TINY_STATE_LOST")},
            # renamed, one beside another that was moved
            "{0: {name: REST, text: idle}, 1: {name: LOST, text: lost}, 2: {name: BUSY, text: busy}}":
                {("S144", idle, "TINY_STATE_IDLE", "TINY_STATE_REST"), ("S145", busy, "2", "1"), ("S145", lost, "1", "2"),
                 ("R317", busy, "TINY_STATE_BUSY", "TINY_STATE_LOST"), ("R317", lost, "TINY_STATE_LOST", "TINY_STATE_BUSY")},
        }.items():
            self.write("new.yaml", BASE.replace(states, new))
            found = self.changes("old.yaml", "new.yaml")
            self.assertEqual({(c["rule"], c["path"], c["before"], c["after"]) for c in found}, wanted)
            self.assertEqual(len(found), len(wanted))

    def test_a_line_that_comes_otherwise(self) -> None:
        old, new = "line: '+PEER: <peer>'", "line: '+PEER: \"here\",<peer>'"
        self.assertEqual(self.message(old, new, "R303")[0], "+PEER: <peer> isn't understood any more")
        self.assertEqual(self.message(old, new, "R302")[0], '+PEER: "here",<peer> is understood now')

    def test_shapes_are_as_the_manual_writes_them(self) -> None:
        self.assertEqual(self.message("'+LIST: <id>,<kind>,<age>'", "'+LIST: <id>,<kind>[,<age>]'", "R302")[0],
                         "+LIST: <id>,<kind> is understood now")

    def test_a_struct_that_appears(self) -> None:
        message, _ = self.message("{LIST: 0..5}, since", "{LIST: 0..1}, since", "S115")
        self.assertEqual(message, "tiny_list_one() takes (request, commands.LIST.lines.LIST), "
                                  "and took (request, commands.LIST.lines.LIST[])")


class Views(Diff):
    """What revisions and firmware have."""

    def found(self, *args: str) -> list[tuple[str, str]]:
        return [(c["rule"], c["path"]) for c in self.changes(*args) if c["severity"] != "doc"]

    def test_two_revisions_of_one_spec(self) -> None:
        self.assertEqual(self.found("old.yaml@R1", "old.yaml@R2"), [
            ("S131", "urcs.peer"), ("R320", "commands.READ.lines.READ.payload"), ("R301", "urcs.peer"),
            ("S171", "commands.PLAY"), ("R310", "parameters.age")])

    def test_what_a_revision_lacks_is_not_deleted(self) -> None:
        found = self.changes("old.yaml@R1", "old.yaml@R2")
        self.assertNotIn("S180", [c["rule"] for c in found])
        action = next(c["action"] for c in found if c["rule"] == "S131")
        self.assertEqual(action, "Remove what handles struct tiny_peer_urc (it was last in R1)")

    def test_what_only_shows_in_a_view(self) -> None:
        """Availability of what has no name, and what something was."""
        for old, new, wanted in [
            ("range: 0..50}", "range: 0..60}", [("R310", "parameters.age@R1")]),
            ("format: text, when", "until: {revision: R1}, format: text, when", [("R320", "urcs.news.payload@R2")]),
            ("until: {revision: R1}\n    doc: Someone", "doc: Someone",
             [("S170", "urcs.peer"), ("S130", "urcs.peer@R2"), ("R300", "urcs.peer@R2")]),
        ]:
            self.write("new.yaml", BASE.replace(old, new))
            self.assertNotEqual(BASE, (self.folder / "new.yaml").read_text())
            self.assertEqual(sorted(self.found("old.yaml", "new.yaml")), sorted(wanted))

    def test_views_are_named(self) -> None:
        self.write("new.yaml", BASE.replace("range: 0..50}", "range: 0..60}"))
        change = self.changes("old.yaml", "new.yaml")[0]
        self.assertEqual((change["views"], change["message"][:22]), (["R1"], "In R1: <age> may be 0."))

    def test_a_view_that_was_broken_before(self) -> None:
        self.write("old.yaml", BASE.replace("commands:\n", "commands:\n", 1).replace(
            "  mode: {type: integer, values: mode, doc", "  mode: {since: {revision: R2}, type: integer, values: mode, doc"))
        status, out, err = self.diff("old.yaml", "new.yaml")
        self.assertEqual(status, 0)
        self.assertIn("warning: old.yaml isn't sound in R1, so nothing is compared there", err)
        status, out, err = self.diff("new.yaml", "old.yaml")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("atspec: old.yaml: not a sound spec in R1", err)

    def test_an_overlay(self) -> None:
        self.write("more.yaml", "atspec: 1\noverlay: Tiny modules that close slowly\nmodule: tiny\nactions:\n"
                   "  - {at: commands.SHUT.set, because: seen, evidence: seen, add: {response_time: 900 ms}}\n")
        found = [("R350", "commands.SHUT.set")]
        self.assertEqual(self.found("old.yaml", "old.yaml+more.yaml"), found)
        self.assertEqual(self.found("old.yaml@R1", "old.yaml+more.yaml@R1"), found)

    def test_no_such_view(self) -> None:
        status, out, err = self.diff("old.yaml", "old.yaml@R9")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("E100", err)

    def test_the_shipped_revisions(self) -> None:
        self.assertIn(("S110", "commands.QIDNSCFG"), self.found(f"{SHIPPED}@V1.0", f"{SHIPPED}@V1.1"))
        self.assertEqual(self.found(f"{SHIPPED}@BC26NBR01A07", f"{SHIPPED}@BC20NBR01A08"), [])

    def test_what_a_view_lacks_may_hold_what_is_reserved(self) -> None:
        text = BASE.replace("  kind: {doc: Kind", "  colour: {since: {revision: R2}, section: '1', doc: C, entries: {0: {name: RED, text: red}}}\n  kind: {doc: Kind")
        self.write("new.yaml", text + "  - {path: values.colour.1, because: it is gone}\n")
        self.assertEqual(self.diff("old.yaml@R1", "new.yaml@R1")[0], 0)


class FailOn(Diff):
    def test_severities(self) -> None:
        self.write("doc.yaml", BASE.replace("doc: Close a link", "doc: Close it"))
        self.write("risky.yaml", BASE.replace("code: {type: integer, range: 0..9", "code: {type: integer, range: 0..99"))
        table = {"new.yaml": (1, 1, 1), "risky.yaml": (0, 1, 1), "doc.yaml": (0, 0, 1), "old.yaml": (0, 0, 0)}
        for name, wanted in table.items():
            got = tuple(self.diff("old.yaml", name, "--fail-on", on)[0] for on in ("breaking", "risky", "any"))
            self.assertEqual(got, wanted, name)
        self.assertEqual(self.diff("old.yaml", "new.yaml")[0], 0)


class Accepted(Diff):
    ENTRY = "  - {rule: T204, path: parameters.most, because: nobody reads so much, date: '2024-05-06', by: Ann%s}\n"

    def run_with(self, entries: str, *args: str) -> tuple[int, str, str]:
        self.write("accepted.yaml", "accepted:\n" + entries)
        return self.diff("old.yaml", "new.yaml", "--accepted", "accepted.yaml", *args)

    def test_what_is_accepted_is_listed_and_does_not_count(self) -> None:
        status, out, err = self.run_with(self.ENTRY % "", "--fail-on", "breaking")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("\naccepted (1)\n  T204 sent-range-narrowed  parameters.most: nobody reads so much, Ann, 2024-05-06\n", out)
        self.assertTrue(out.endswith("\n1 risky, 1 safe, 1 doc; 1 accepted\n"), out)
        self.assertEqual(self.run_with(self.ENTRY % "", "--fail-on", "risky")[0], 1)
        found = json.loads(self.run_with(self.ENTRY % "", "--format", "json")[1])
        self.assertEqual(found["changes"][0]["accepted"], {"because": "nobody reads so much", "date": "2024-05-06", "by": "Ann"})
        self.assertEqual(found["counts"]["breaking"], 0)

    def test_only_what_it_was_accepted_to_become(self) -> None:
        self.assertEqual(self.run_with(self.ENTRY % ", to: 1..50", "--fail-on", "breaking")[0], 0)
        status, _, err = self.run_with(self.ENTRY % ", to: 1..60", "--fail-on", "breaking")
        self.assertEqual(status, 1)
        self.assertIn("accepted.yaml:2: warning: no change is left that T204 parameters.most accepts", err)

    def test_an_entry_without_a_change_is_a_warning(self) -> None:
        status, _, err = self.run_with("  - {rule: S113, path: commands.OLD.set, because: it is gone}\n")
        self.assertEqual((status, err), (0, "accepted.yaml:2: warning: no change is left that S113 commands.OLD.set accepts\n"))

    def test_a_wrong_file_is_no_licence(self) -> None:
        for entry, wrong in {
            "  - {rule: T999, path: parameters.most, because: so}\n": "accepted.yaml:2:12: error[E013]",
            "  - {rule: T204, path: parameters.most}\n": "accepted.yaml:2:5: error[E011]",
            "  - {rule: T204, path: parameters.most, because: ''}\n": "accepted.yaml:2:50: error[E013]",
            "  - {rule: T204, path: parameters.most, because: ' \u3000 '}\n": "accepted.yaml:2:50: error[E013]",
            "  - {rule: T204, path: parameters.most, because: so, wich: x}\n": "error[E010]",
        }.items():
            status, out, err = self.run_with(entry)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(wrong, err)


class Sides(Diff):
    def git(self, *args: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], cwd=self.folder, check=True,
                       capture_output=True)

    def repository(self) -> None:
        """Two commits; the older includes values that the newer has otherwise."""
        self.git("init", "-q", "-b", "main")
        old = BASE.replace("values:\n", "include: [../common/more.yaml]\nvalues:\n", 1)
        self.write("spec/tiny.yaml", old)
        self.write("common/more.yaml", "atspec: 1\ntitle: More\nvalues:\n  more: {section: '1', doc: More, entries: {0: {name: NONE, text: none}}}\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "one")
        self.git("tag", "one")
        self.write("common/more.yaml", "atspec: 1\ntitle: More\nvalues:\n  more: {section: '1', doc: More, entries: {0: {name: SOME, text: none}}}\n")

    def test_git_revisions_with_what_they_include(self) -> None:
        self.repository()
        for old, new, cwd in [("one:spec/tiny.yaml", "spec/tiny.yaml", "."), ("one:spec/tiny.yaml", "tiny.yaml", "spec"),
                              ("one:./tiny.yaml", "tiny.yaml", "spec"), ("one:../spec/tiny.yaml", "../spec/tiny.yaml", "common")]:
            with self.subTest(old, cwd=cwd):
                status, out, err = self.diff(old, new, "--format", "json", cwd=cwd)
                self.assertEqual((status, err), (0, ""))
                found = json.loads(out)["changes"]
                self.assertEqual([(c["rule"], c["before"], c["after"]) for c in found], [("S144", "TINY_MORE_NONE", "TINY_MORE_SOME")])
                self.assertEqual(found[0]["old"], "one:common/more.yaml:4")

    def test_links_within_a_revision(self) -> None:
        self.repository()
        (self.folder / "link.yaml").symlink_to("spec/tiny.yaml")
        (self.folder / "latest").symlink_to("spec")
        (self.folder / "spec/again.yaml").symlink_to("../latest/tiny.yaml")
        (self.folder / "spec/out.yaml").symlink_to(self.folder / "old.yaml")
        (self.folder / "spec/up.yaml").symlink_to("../../../../../../../.." + str(self.folder / "old.yaml"))
        (self.folder / "spec/round.yaml").symlink_to("round.yaml")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "links")
        self.git("tag", "links")
        self.write("spec/tiny.yaml", "no spec any more")
        for path in ("latest/tiny.yaml", "spec/again.yaml"):
            self.assertEqual(self.diff(f"links:{path}", "links:spec/tiny.yaml")[1].splitlines()[-1], "no changes", path)
        # what it includes stands beside the link
        self.assertIn("can't read `../common/more.yaml`", self.diff("links:link.yaml", "links:spec/tiny.yaml")[2])
        for path in ("spec/out.yaml", "spec/up.yaml", "spec/round.yaml"):
            status, out, err = self.diff(f"links:{path}", "links:spec/tiny.yaml")
            self.assertEqual((status, out, err), (2, "", f"atspec: links:{path}: no such YAML file in that revision\n"))

    def test_git_is_quoted(self) -> None:
        self.assertEqual(self.diff("one:spec/tiny.yaml", "old.yaml")[2], "atspec: not in a git repository\n")
        self.repository()
        self.git("add", ".")
        self.git("commit", "-q", "-m", "two")
        blob = subprocess.run(["git", "rev-parse", "one:common/more.yaml"], cwd=self.folder, capture_output=True, text=True).stdout.strip()
        (self.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
        self.assertEqual(self.diff("one:spec/tiny.yaml", "old.yaml")[2], "atspec: this clone hasn't got one:common/more.yaml; fetch it\n")
        tree = subprocess.run(["git", "rev-parse", "one:common"], cwd=self.folder, capture_output=True, text=True).stdout.strip()
        (self.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()
        self.assertEqual(self.diff("one:spec/tiny.yaml", "old.yaml"), (2, "", f"atspec: git: error: Could not read {tree}\n"))

    def test_a_revision_that_is_wrong(self) -> None:
        self.repository()
        self.write("spec/broken.yaml", "atspec: 1\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "two")
        for old, wrong in {"HEAD:spec/broken.yaml": "HEAD:spec/broken.yaml:1:1: error[E011]", "two:spec/tiny.yaml": "git knows no revision `two`",
                           "--help:spec/tiny.yaml": "", "one:spec/nowhere.yaml": "one:spec/nowhere.yaml: no such YAML file",
                           "one:../tiny.yaml": "no such YAML file"}.items():
            status, out, err = self.diff(old, "spec/tiny.yaml")
            self.assertEqual((status, out), (2, ""), old)
            self.assertIn(wrong, err)
            self.assertNotIn(tempfile.gettempdir(), err)

    def test_usage(self) -> None:
        for args in ((), ("old.yaml",), ("old.yaml", "nowhere.yaml"), ("old.yaml", "new.yaml", "--fail-on", "doc"),
                     ("old.yaml", "new.yaml", "--accepted", "nowhere.yaml"), ("old.yaml", ".")):
            status, out, err = self.diff(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertTrue(err)

    def test_help_and_rules(self) -> None:
        status, out, _ = self.diff("--help")
        self.assertEqual(status, 0)
        for severity, words in SEVERITIES.items():
            self.assertIn(f"{severity:10}{words}", out)
        status, out, _ = self.diff("--rules")
        self.assertEqual([line.split()[0] for line in out.splitlines()], list(RULES))

    def test_a_fragment(self) -> None:
        self.assertEqual(self.diff(str(REPOSITORY / "spec/common/v250.yaml"), str(REPOSITORY / "spec/common/v250.yaml"))[0], 0)

    def test_two_modules(self) -> None:
        found = self.changes(str(SHIPPED), "old.yaml")
        self.assertEqual(found[0]["severity"], "breaking")
        self.assertIn("S100", {c["rule"] for c in found})


class Document(unittest.TestCase):
    def test_it_lists_the_rules(self) -> None:
        text = (REPOSITORY / "spec" / "diff.md").read_text("utf-8")
        rows = re.findall(r"^\| ([STRD][0-9]{3}) \| (\S+) \| (\S+) \| (\S+) \| (.*) \|$", text, re.M)
        self.assertEqual(rows, [(r.id, r.name, r.category, r.severity, r.meaning) for r in RULES.values()])

    def test_it_says_what_severities_mean(self) -> None:
        text = (REPOSITORY / "spec" / "diff.md").read_text("utf-8")
        for severity, words in SEVERITIES.items():
            self.assertIn(f"| {severity} | {words} |", text)


if __name__ == "__main__":
    unittest.main()
