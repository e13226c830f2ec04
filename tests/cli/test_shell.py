"""`bc26 shell` at a terminal and from scripts, over a virtual module."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import termios
import threading

from prompt import CTRL_C, CTRL_D, CTRL_U, CTRL_Z, ENTER, TAB, UP, Prompt
from support import BC26, DONE, NO, PATIENCE, USAGE, ToolTest, run


def listener():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(PATIENCE)
    return server


class Shell(ToolTest):
    def shell(self, *options, **more):
        self.module = self.sim(*options)
        return Prompt(self, BC26, self.module.port, **more)

    def opened(self, shell, port, mode=0):
        shell.types(f'AT+QIOPEN=1,0,"TCP","127.0.0.1",{port},0,{mode}{ENTER}')
        shell.sees("<- OK", "<- QIOPEN connectID=0 err=0 (Operation successful)")


class Completion(Shell):
    """What was completed is seen on the wire."""

    def test_commands_parameters_and_values(self):
        shell = self.shell()
        shell.types(f"QIR{TAB}conn{TAB}2 rea{TAB}100{ENTER}")
        shell.sees("-> AT+QIRD=2,100\r\n")
        shell.types(f"qio{TAB}context{TAB}{TAB}connectID=1 serv{TAB}U{TAB}host=127.0.0.1 rem{TAB}9 "
                    f"loc{TAB}0 acc{TAB}1{ENTER}")
        shell.sees('-> AT+QIOPEN=1,1,"UDP","127.0.0.1",9,0,1\r\n')

    def test_forms(self):
        shell = self.shell()
        shell.types(f"QISEND connectID=0 send_length=1 data=x{ENTER}")
        shell.sees("QISEND has several forms; there are QISEND.inline connectID= send_length= "
                   "data=, QISEND.fixed connectID= send_length= [data=]\r\n")
        shell.ready()
        self.assertNotIn("QISEND.progress", shell.seen)
        shell.types(f"QISEND conectID=0 data=x{ENTER}")
        shell.sees("no form of QISEND takes 'conectID=0'; there are QISEND.test, QISEND.inline")
        shell.types(f"qird CONNECTid=1 r{TAB}2{ENTER}")
        shell.sees("-> AT+QIRD=1,2\r\n")
        shell.types(f"AT+QIRD connectid=1 r{TAB}3{ENTER}")
        shell.sees("-> AT+QIRD=1,3\r\n")
        shell.types(f"QIRD connectid=1 connectID=1 read_length=3{ENTER}")
        shell.sees("'connectID=1': the argument is given twice")
        shell.types(f"QISTA{TAB}{ENTER}")
        shell.sees("-> AT+QISTATE?\r\n")
        shell.types(f"QISTATE.conn{TAB}conn{TAB}3{ENTER}")
        shell.sees("-> AT+QISTATE=1,3\r\n")

    def test_lines_as_on_the_wire(self):
        shell = self.shell()
        shell.types(f'at+qiop{TAB}1,0,"T{TAB}"127.0.0.1",9,0,0{ENTER}')
        shell.sees('-> AT+QIOPEN=1,0,"TCP","127.0.0.1",9,0,0\r\n')
        shell.sees("<- QIOPEN connectID=0 err=566 (Socket connection failed)")
        shell.types(f'AT+QICFG="vi{TAB}{ENTER}')
        shell.sees('-> AT+QICFG="viewmode"\r\n', "<- QICFG.viewmode view_mode=0 (a line break)")

    def test_a_second_tab_lists_with_documentation(self):
        shell = self.shell()
        shell.types(f"QISEND{TAB}{TAB}")
        shell.sees("QISEND ", "Send data", "QISENDEX ", "Send data given as hexadecimal digits")
        shell.types(f"{CTRL_U}QPING {TAB}{TAB}")
        shell.sees("contextID=", "only 1 is supported", "time_out=",
                   "Longest wait for one reply; allowed is 1 to 255 (s); 4 when left out")
        shell.types(f"{CTRL_U}QISWTMD access_mode={TAB}{TAB}")
        shell.sees("access_mode: How received data are handed over", "0 ",
                   "kept by the module until they are read", "1 ",
                   "sent with the URC that announces them")
        shell.types(f"{CTRL_U}AT+QISWTMD=2,{TAB}{TAB}")
        shell.sees("access_mode: ", "kept by the module", "sent with the URC")
        shell.types(f"1{ENTER}")
        shell.sees("-> AT+QISWTMD=2,1\r\n")

    def test_a_question_mark_explains(self):
        shell = self.shell()
        shell.types("QIRD connectID=1 ?")
        shell.sees("read_length=", "Largest length to read; allowed is 1 to 512 (byte)")
        shell.types("read_length=?")
        shell.sees("read_length: Largest length to read; allowed is 1 to 512 (byte)")
        shell.types(f"7{ENTER}")
        shell.sees("-> AT+QIRD=1,7\r\n")

    def test_a_question_mark_is_a_sign_where_it_belongs(self):
        shell = self.shell()
        shell.types(f"AT+QISTATE?{ENTER}")
        shell.sees("-> AT+QISTATE?\r\n")
        shell.types(f'QISENDEX connectID=0 hex_string="?"{ENTER}')
        shell.sees("hex_string: not of this type")


class Help(Shell):
    def test_a_command(self):
        shell = self.shell()
        shell.types(f"help qio{TAB}{ENTER}")
        shell.sees("QIOPEN: ", "V1.1, 2.1.1", "QIOPEN.set", "AT+QIOPEN=<contextID>,<connectID>",
                   "TCP client", "remote_port: Port of the remote server; allowed is 1 to 65535",
                   "local_port: ", "0 when left out",
                   "access_mode: ", "has to be given, unless settings shows it",
                   "A UDP socket survives deep sleep")
        shell.types(f"help NOTHING{ENTER}")
        shell.sees("no command 'NOTHING'")
        shell.types(f"help at+qird{ENTER}")
        shell.sees("QIRD: Read received data")
        for line, why in (("help QIRD QISEND", "help: takes one command at most"),
                          ("quit now", "quit: takes no argument"),
                          ("Settings all", "settings: takes no argument")):
            shell.types(f"{line}{ENTER}")
            shell.sees(why)

    def test_everything(self):
        shell = self.shell()
        shell.types(f"help{ENTER}")
        shell.sees("settings", "QIRD", "Read received data")

    def test_settings(self):
        shell = self.shell()
        shell.types(f'AT+QICFG="viewmode",1{ENTER}')
        shell.sees("<- OK")
        shell.types(f"settings{ENTER}")
        shell.sees("view_mode=1 (a comma)", "echo_mode=0 (not echoed)", "access_mode[4]  unknown")

    def test_of_the_command(self):
        result = run("shell", "--help")
        self.assertEqual(result.returncode, DONE)
        self.assertIn(b"Exit status", result.stdout)
        self.assertIn(b"after a line that failed the script goes on", result.stdout)


class History(Shell):
    def test_recalled_and_kept(self):
        with tempfile.TemporaryDirectory() as home:
            shell = self.shell(home=home)
            shell.types(f"AT+QIRD=3,33{ENTER}")
            shell.sees("-> AT+QIRD=3,33\r\n", "<- ERROR")
            shell.ready()
            shell.types(f"{UP}{ENTER}")
            shell.sees("-> AT+QIRD=3,33\r\n", "<- ERROR")
            shell.ready()
            shell.types(CTRL_D)
            self.assertEqual(shell.ends(), DONE)
            again = Prompt(self, BC26, self.module.port, home=home)
            again.types(f"{UP}{ENTER}")
            again.sees("-> AT+QIRD=3,33\r\n")

    def test_a_file_that_is_something_else_is_left_alone(self):
        with tempfile.TemporaryDirectory() as home:
            file = pathlib.Path(home) / ".local" / "state" / "bc26" / "history"
            file.parent.mkdir(parents=True)
            file.write_text("AT+QISTATE?\nAT+QIRD=0,512\n")
            shell = self.shell(home=home)
            self.assertIn(f"{file} holds no history that can be read", shell.seen)
            shell.types(f"AT{ENTER}")
            shell.sees("<- OK")
            shell.ready()
            shell.types(CTRL_D)
            self.assertEqual(shell.ends(), DONE)
            self.assertEqual(file.read_text(), "AT+QISTATE?\nAT+QIRD=0,512\n")

    def test_a_link_to_a_device_leaves_the_device_alone(self):
        """As people link it to /dev/null, which everybody needs."""
        master, device = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, device)
        os.fchmod(device, 0o666)
        with tempfile.TemporaryDirectory() as home:
            folder = pathlib.Path(home) / ".local" / "state" / "bc26"
            folder.mkdir(parents=True)
            (folder / "history").symlink_to(os.ttyname(device))
            shell = self.shell(home=home)
            shell.types(f"AT{ENTER}")
            shell.sees("<- OK")
            shell.ready()
            shell.types(CTRL_D)
            self.assertEqual(shell.ends(), DONE)
        self.assertEqual(os.fstat(device).st_mode & 0o777, 0o666)

    def test_no_place_for_it(self):
        shell = self.shell(home="/dev/null/nowhere")
        shell.types(f"AT{ENTER}")
        shell.sees("<- OK")
        shell.types(CTRL_D)
        self.assertEqual(shell.ends(), DONE)


class Commands(Shell):
    def test_a_wrong_argument_is_explained_and_not_sent(self):
        shell = self.shell()
        for line, why in [
            ("QIRD connectID=5 read_length=1", "connectID: out of range; allowed is 0 to 4"),
            ("AT+QIRD=0,513", "read_length: out of range; allowed is 1 to 512"),
            ("QIRD connectID=0", "read_length: missing"),
            ("QIRD connectID=0 length=5", "QIRD.set doesn't take 'length=5'"),
            ("AT+QIRD=0", "read_length: missing"),
            ("AT+QIRD", "no form of it looks like this; it is written AT+QIRD=? or AT+QIRD=<"),
            ("AT+QIRD=0,1;+CSQ", "one command goes at a time"),
            ("AT+QIRD?", "no form of it looks like this, from '?' on; it is written"),
            ('AT+QIRD=0,"1,2', "looks like this, from '\"1,2' on"),
            ("AT+QIRD=0,1,2,3", "looks like this, from '2,3' on"),
            ("AT+QIRD?" + 80 * "x", f"from '?{59 * 'x'}...' on"),
            ('AT+QIOPEN=1,0,"TCP","127.0.0.1",9', "access_mode: not sent"),
            ("NONSENSE", "no command 'NONSENSE'; there are"),
            ("NONSENSE", "; help tells about them"),
            ("QIOPEN contextID=1 connectID=0 service_type=TCP host=127.0.0.1 remote_port=9 "
             "access_mode=1", "local_port: missing; it has to be given before access_mode; "
             "allowed is 0 to 65535"),
            ("AT+QISEND=0,2,abc", "send_length: isn't the length of the data; "
             "announced 2, given 3"),
            ('QISEND.fixed connectID=0 data="a', "a quote isn't closed"),
            ("QISEND.fixed connectID=0 data=\\x1", "data: not of this type; \\x takes two"),
            ("QISEND.fixed connectID=0 send_length=2 data=abc", "send_length: isn't the length "
             "of the data; announced 2, given 3"),
        ]:
            with self.subTest(line):
                shell.types(f"{line}{ENTER}")
                shell.sees(why)
        shell.types(f"AT{ENTER}")
        shell.sees("-> AT\r\n", "<- OK")
        self.assertEqual(shell.seen.count("-> "), 1)

    def test_unknown_to_the_spec(self):
        shell = self.shell()
        shell.types(f"AT+CEREG?{ENTER}")
        shell.sees("AT+CEREG? isn't in the spec", "-> AT+CEREG?\r\n", "<- ERROR")
        shell.types(f"AT&V{ENTER}")
        shell.sees("-> AT&V\r\n", "<- ERROR")
        self.assertEqual(shell.seen.count("isn't in the spec"), 1)
        shell.types(f"ATX{99 * '1'}{ENTER}")
        shell.sees(f"ATX{57 * '1'}...: the module answered ERROR")
        shell.types(f"AT+QIRD=0,5{ENTER}")
        shell.sees("-> AT+QIRD=0,5\r\n", "<- ERROR",
                   "the module answered ERROR; the manual: help QIRD")

    def test_a_conversation(self):
        shell = self.shell()
        self.opened(shell, self.echo())
        shell.types(f"QISEND.fixed connectID=0 data=hello\\r\\n{ENTER}")
        shell.sees("-> AT+QISEND=0,7\r\n", "-> 7 bytes of data", "<- OK", "<- SEND OK",
                   "<- urc recv connectID=0")
        shell.types(f"QIRD connectID=0 read_length=512{ENTER}")
        shell.sees("<- QIRD actual_read_length=7", "| hello\\r\\n\r\n", "<- OK")

    def test_data_are_asked_for(self):
        shell = self.shell()
        self.opened(shell, self.echo(), mode=1)
        shell.types(f"AT+QISEND=0,4{ENTER}")
        shell.sees("data (Enter sends, Ctrl-C gives up)> ")
        shell.types(f"\\x00?{TAB}\\\\{ENTER}")
        shell.sees("-> AT+QISEND=0,4\r\n", "-> 4 bytes of data", "<- SEND OK",
                   "<- urc recv connectID=0 current_rcv_length=4", "| 0000  00 3f 09 5c")
        shell.types(f"AT+QISEND=0,4{ENTER}")
        shell.sees("data (Enter sends, Ctrl-C gives up)> ")
        shell.types(f"five!{ENTER}")
        shell.sees("send_length: isn't the length of the data")
        shell.types(f"AT+QISEND=0{ENTER}")
        shell.sees("data (Enter sends, Ctrl-C gives up)> ")
        shell.types(CTRL_C)
        shell.sees("not sent")
        shell.types(f"qisend.stream connectID=0 data=\"a b\"{ENTER}")
        shell.sees("-> AT+QISEND=0\r\n", "-> 3 bytes of data", "<- SEND OK", "| a b\r\n")

    def test_keys_that_end_data(self):
        shell = self.shell()
        self.opened(shell, self.echo(), mode=1)
        for end, seen in ((ENTER, "<- SEND OK"), (CTRL_Z, "<- SEND OK"), (CTRL_D, "not sent")):
            shell.types(f"AT+QISEND=0{ENTER}")
            shell.sees("data (Enter sends, Ctrl-C gives up)> ")
            shell.types(end if end == CTRL_D else f"hello!{end}")
            if end != CTRL_D:
                shell.sees("-> 6 bytes of data")
            shell.sees(seen)
            shell.ready()
        shell.types(f"AT{ENTER}")
        shell.sees("-> AT\r\n", "<- OK")

    def test_ctrl_z_suspends_where_commands_are_typed(self):
        shell = self.shell()

        def suspend():
            return termios.tcgetattr(shell.child.child_fd)[6][termios.VSUSP]

        self.assertEqual(suspend(), CTRL_Z.encode())
        self.opened(shell, self.echo(), mode=1)
        shell.types(f"AT+QISEND=0{ENTER}")
        shell.sees("data (Enter sends, Ctrl-C gives up)> ")
        self.assertEqual(suspend(), b"\0")
        shell.types(CTRL_D)
        shell.sees("not sent")
        shell.ready()
        self.assertEqual(suspend(), CTRL_Z.encode())
        shell.types(f"AT{ENTER}")
        shell.sees("-> AT\r\n", "<- OK")

    def test_a_refusal_that_tells_why(self):
        with listener() as server:
            path = f"127.0.0.1:{server.getsockname()[1]}"
            result = subprocess.Popen([BC26, "--port", path, "shell"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(result.kill)
            module, _ = server.accept()
            with module:
                threading.Thread(target=self.refuse_reading, args=(module,), daemon=True).start()
                out, err = result.communicate(b"QIRD connectID=0 read_length=1\n", PATIENCE)
        self.assertIn(b"<- CME ERROR", out.replace(b"+", b""))
        self.assertIn(b"QIRD: refused, for the reason above; the manual: help QIRD", err)
        self.assertNotIn(b"answered ERROR", err)

    @staticmethod
    def refuse_reading(module):
        answers = {b'AT+QICFG="dataformat"': b'+QICFG: "dataformat",0,0\r\n',
                   b'AT+QICFG="viewmode"': b'+QICFG: "viewmode",0\r\n',
                   b'AT+QICFG="showlength"': b'+QICFG: "showlength",0\r\n',
                   b'AT+QICFG="echomode"': b'+QICFG: "echomode",0\r\n'}
        with contextlib.suppress(OSError), module.makefile("rb") as lines:
            text = b""
            while byte := lines.read(1):
                text += byte
                if byte == b"\r":
                    line = text.strip()
                    text = b""
                    final = b"+CME ERROR: 50" if line.startswith(b"AT+QIRD=") else b"OK"
                    module.sendall(b"\r\n" + answers.get(line, b"") + b"\r\n" + final + b"\r\n")

    def test_hexadecimal_data(self):
        shell = self.shell()
        self.opened(shell, self.echo(), mode=1)
        shell.types(f'AT+QICFG="dataformat",1,1{ENTER}')
        shell.sees("<- OK")
        shell.types(f"AT+QISEND=0,3,616263{ENTER}")
        shell.sees("-> AT+QISEND=0,3,616263\r\n", "<- SEND OK", "| abc\r\n")

    def test_what_comes_while_a_line_is_typed(self):
        shell = self.shell()
        with listener() as server:
            self.opened(shell, server.getsockname()[1])
            peer, _ = server.accept()
            with peer:
                shell.ready()
                shell.types("QIRD connectID=0 rea")
                shell.sees("rea")
                peer.sendall(b"news")
                shell.sees("<- urc recv connectID=0\r\n", "QIRD connectID=0 rea")
                shell.child.setwinsize(20, 30)
                shell.types(f"d_length=5{ENTER}")
                shell.sees("-> AT+QIRD=0,5\r\n", "| news\r\n")


class Ending(Shell):
    def test_ctrl_c_clears_the_line(self):
        shell = self.shell()
        shell.types("QIRD connectID=9")
        shell.sees("=9")
        shell.types(CTRL_C)
        shell.ready()
        shell.types(f"AT{ENTER}")
        shell.sees("-> AT\r\n", "<- OK")
        self.assertNotIn("out of range", shell.seen)

    def test_ctrl_c_gives_a_command_up(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            shell = self.shell("--route", f"*:123=127.0.0.1:{deaf.getsockname()[1]}")
            shell.types(f'AT+QNTP=1,"127.0.0.1"{ENTER}')
            shell.sees("-> AT+QNTP", "<- OK")
            shell.types(CTRL_C)
            shell.sees("QNTP: given up")
            shell.ready()
            shell.types(f'AT+QICFG="viewmode"{ENTER}')
            shell.sees("<- QICFG.viewmode view_mode=0", "<- OK")

    def test_ctrl_d_and_quit(self):
        for keys in (CTRL_D, f"quit{ENTER}", f"exit{ENTER}"):
            shell = self.shell()
            shell.types(keys)
            self.assertEqual(shell.ends(), DONE)

    def test_a_signal(self):
        for number in signal.SIGTERM, signal.SIGQUIT:
            shell = self.shell()
            shell.child.kill(number)
            self.assertEqual(shell.ends(), 128 + number)

    def test_unplugged_and_plugged_in_again(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            path = str(pathlib.Path(folder) / "module")

            def plug():
                module = subprocess.Popen([BC26, "sim", "--pty", path], stderr=subprocess.PIPE)
                stack.callback(module.stderr.close)
                stack.callback(module.wait)
                stack.callback(module.kill)
                self.assertIn(b"ready", module.stderr.readline())
                return module

            module = plug()
            shell = Prompt(self, BC26, path)
            module.kill()
            module.wait(PATIENCE)
            shell.sees("lost", "the next command tries to open it again")
            pathlib.Path(path).unlink()
            shell.types(f"AT{ENTER}")
            shell.sees("no such port")
            plug()
            shell.types(f"AT{ENTER}")
            shell.sees("is open again", "-> AT\r\n", "<- OK")


class Scripts(Shell):
    def script(self, text, *options, port=None):
        port = port or self.sim().port
        result = run("--port", port, "shell", *options, data=text.encode())
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def test_files_that_cannot_be_read_or_written(self):
        sim = self.sim()
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        result = subprocess.run([BC26, "--port", sim.port, "shell"], stdin=folder,
                                capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, NO)
        self.assertIn(b"Is a directory", result.stderr)
        with open("/dev/full", "wb") as full:
            result = subprocess.run([BC26, "--port", sim.port, "shell"], input=b"AT\n",
                                    stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(result.returncode, NO)
        self.assertIn(b"stdout can't be written", result.stderr)

    def test_every_line_in_its_turn(self):
        status, out, err = self.script(
            f'# open, send and close\n\nAT+QIOPEN=1,0,"TCP","127.0.0.1",{self.echo()},0,1\n'
            "AT+QISEND=0,3\na\\nb\nQISEND.stream connectID=0 data=end\n  AT+QICLOSE=0\r\n"
            "AT+QISTATE?")
        self.assertEqual((status, err), (DONE, ""))
        self.assertEqual([line for line in out.splitlines() if line.startswith("-> ")], [
            line for line in out.splitlines() if line.startswith("-> AT+Q") or "of data" in line])
        for line in ("-> 3 bytes of data", "<- CLOSE OK", "-> AT+QISTATE?"):
            self.assertIn(line, out.splitlines())
        self.assertLess(out.index("<- CLOSE OK"), out.index("-> AT+QISTATE?"))
        self.assertTrue(out.endswith("<- OK\n"), out)
        self.assertNotIn("bc26>", out)

    def test_what_the_tool_asks_for_itself_is_not_shown(self):
        self.assertEqual(self.script('AT\nAT+QICFG="viewmode"\n'), (
            DONE, '-> AT\n<- OK\n-> AT+QICFG="viewmode"\n'
            "<- QICFG.viewmode view_mode=0 (a line break)\n<- OK\n", ""))

    def test_traced_without_arguments(self):
        port = self.sim().port
        result = run("--port", port, "--trace", "shell", data=b'AT+QICFG="viewmode"\n')
        line = "Ask for or set what stands between a data header and its data"
        noted = [text for text in result.stderr.decode().splitlines() if line in text]
        self.assertTrue(noted)
        for text in noted:
            self.assertTrue(text.endswith(line), text)

    def test_what_was_refused_or_failed_is_told(self):
        status, out, err = self.script(
            "AT\nQIRD connectID=7 read_length=1\nAT+QIRD=0,1\nAT+CEREG?\nAT+QISEND=9,4\nAT+X\nAT\n")
        self.assertEqual(status, NO)
        for line in ("line 2 isn't done: QIRD connectID=7", "line 3 isn't done: AT+QIRD=0,1",
                     "line 4 isn't done: AT+CEREG?", "line 5 isn't done: AT+QISEND=9,4",
                     "line 6, its data, is left out"):
            self.assertIn(line, err)
        self.assertNotIn("AT+X", out)
        self.assertEqual(out.count("-> AT\n"), 2)

    def test_what_no_line_can_hold(self):
        status, out, err = self.script("AT\nATI\0\nAT\n")
        self.assertEqual((status, out), (NO, "-> AT\n<- OK\n"))
        self.assertIn("line 2: a NUL byte", err)

    def test_no_port(self):
        status, out, err = self.script("AT\n", port="/dev/nothing-here")
        self.assertEqual((status, out), (USAGE, ""))
        self.assertIn("no such port", err)

    def test_no_module(self):
        result = run("shell", data=b"AT\n")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn(b"--port", result.stderr)

    def test_wrong_options(self):
        for options in (["--wait"], ["--wait", "0"], ["--wait", "x"], ["file"], ["-x"]):
            status, _, err = self.script("AT\n", *options)
            self.assertEqual(status, USAGE, options)
            self.assertIn("shell --help", err)
            self.assertEqual("shell reads stdin: shell < file" in err, options == ["file"])

    def test_a_silent_module(self):
        with listener() as server:
            status, _, err = self.script("AT\n", port=f"127.0.0.1:{server.getsockname()[1]}")
        self.assertEqual(status, NO)
        self.assertIn("see whether the module is on", err)

    def test_the_port_is_lost(self):
        module = self.sim(tcp=True)
        shell = subprocess.Popen([BC26, "--port", module.port, "shell"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(shell.kill)
        shell.stdin.write(b"AT\n")
        shell.stdin.flush()
        self.assertEqual(shell.stdout.readline(), b"-> AT\n")
        self.assertEqual(shell.stdout.readline(), b"<- OK\n")
        module.end()
        self.addCleanup(shell.stdin.close)
        self.assertEqual(shell.wait(PATIENCE), NO)
        with shell.stdout, shell.stderr:
            self.assertIn(b"lost", shell.stderr.read())
