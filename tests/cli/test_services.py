"""`ping`, `dns`, `ntp` and `state`, through a virtual module, of real servers."""

import contextlib
import datetime
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import termios
import unittest

from support import BC26, DONE, NO, PATIENCE, USAGE, ToolTest, free_port, program, run

# As the manual's, and as firmware words it.
NO_REPLY = b"no reply: Operation timeout (569)\n"


def pinging():
    """Skips where this machine lets nobody ping."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with contextlib.suppress(PermissionError):
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
            return
    raise unittest.SkipTest("this machine lets us send no ping; as root: "
                            'sysctl -w net.ipv4.ping_group_range="0 2147483647"')


class Service(ToolTest):
    def check(self, result, status, stdout, *said):
        """`said`: what the message has to name; nothing, and there must be none."""
        self.assertEqual((result.returncode, result.stdout), (status, stdout), result.stderr)
        for text in said:
            self.assertIn(text, result.stderr)
        if not said:
            self.assertEqual(result.stderr, b"")

    def refused(self, *command, says):
        """Before the port is opened, or else its absence would be what is said."""
        self.check(run("--port", "/nowhere/at/all", *command), USAGE, b"", *says)


class Dns(Service):
    def dnsmasq(self):
        port = free_port(socket.SOCK_DGRAM)
        self.serve(program("dnsmasq"), "--no-daemon", f"--port={port}", "--no-resolv",
                   "--no-hosts", "--conf-file=/dev/null", "--pid-file=",
                   "--listen-address=127.0.0.1", "--bind-interfaces",
                   "--address=/name.test/192.0.2.7",
                   "--host-record=both.test,192.0.2.8,2001:db8::8", "--local=/test/",
                   port=port, kind="udp")
        return port

    def setUp(self):
        dead = free_port(socket.SOCK_DGRAM)
        self.module = self.sim("--route", f"127.0.0.53:53=127.0.0.1:{self.dnsmasq()}",
                               "--route", f"127.0.0.54:53=127.0.0.1:{dead}")

    def test_of_a_chosen_server(self):
        self.check(self.module.tool("dns", "name.test", "--server", "127.0.0.53"), DONE,
                   b"192.0.2.7\n")
        # The module keeps it.
        self.check(self.module.tool("dns", "name.test"), DONE, b"192.0.2.7\n")
        self.assertIn(b"\ndns      127.0.0.53\n", self.module.tool("state").stdout)

    def test_every_address(self):
        self.check(self.module.tool("dns", "--server", "127.0.0.53", "both.test"), DONE,
                   b"192.0.2.8\n2001:db8::8\n")

    def test_the_second_server_steps_in(self):
        self.check(self.module.tool("dns", "--server=127.0.0.54,127.0.0.53", "name.test"), DONE,
                   b"192.0.2.7\n")

    def test_no_such_name(self):
        self.check(self.module.tool("dns", "none.test", "--server", "127.0.0.53"), NO, b"",
                   b"dns none.test: DNS parse failed (565)", b"--server")

    def test_dead_server(self):
        self.check(self.module.tool("dns", "name.test", "--server", "127.0.0.54"), NO, b"",
                   b"dns name.test: DNS parse failed (565)")


class DnsByRote(Service):
    def test_refused_before_anything_is_sent(self):
        self.refused("dns", says=[b"NAME", b"dns --help"])
        self.refused("dns", "a", "b", says=[b"one NAME"])
        self.refused("dns", "--servers", "1.1.1.1", "a", says=[b"--servers"])
        self.refused("dns", "a", "--server", says=[b"--server lacks its value"])
        self.refused("dns", "a", "--server", "x", says=[b"bc26: --server (pridnsaddr): ", b"IPv4 or IPv6 address"])
        self.refused("dns", "a", "--server", "1.1.1.1,", says=[b"--server (secdnsaddr): "])
        self.refused("dns", 'a"b', says=[b"NAME (hostname): ", b"up to 150 letters"])
        self.refused("dns", "a" * 151, says=[b"hostname", b"up to 150 letters"])
        self.refused("dns", "a" * 1000, says=[b"too long"])

    def test_what_goes_to_the_module(self):
        module = self.rote({"AT+QIDNSGIP": ['+QIURC: "dnsgip",0,1,0',
                                            '+QIURC: "dnsgip","1.1.1.1"']})
        self.check(module.tool("dns", "--server", "1.1.1.1,2001:db8::1", "name.test"), DONE,
                   b"1.1.1.1\n")
        self.assertEqual(module.heard[-2:], ['AT+QIDNSCFG=1,"1.1.1.1","2001:db8::1"',
                                             'AT+QIDNSGIP=1,"name.test"'])

    def test_servers_refused(self):
        module = self.rote({"AT+QIDNSCFG": "ERROR",
                            "AT+QIGETERROR": "+QIGETERROR: 561,open pdp context failed"})
        self.check(module.tool("dns", "--server", "1.1.1.1", "name.test"), NO, b"",
                   b"Open PDP context failed (561)", b"AT+CEREG?")
        self.assertEqual([line for line in module.heard if "DNSGIP" in line], [])

    def test_several_addresses(self):
        module = self.rote({"AT+QIDNSGIP": [
            '+QIURC: "dnsgip",0,3,0', '+QIURC: "dnsgip","1.1.1.1"', "+CEREG: 5",
            '+QIURC: "dnsgip","2001:db8:0:0:0:0:0:1"', '+QIURC: "dnsgip",2.2.2.2']})
        self.check(module.tool("dns", "name.test"), DONE,
                   b"1.1.1.1\n2001:db8:0:0:0:0:0:1\n2.2.2.2\n")

    def test_fewer_addresses_than_announced(self):
        module = self.rote({"AT+QIDNSGIP": ['+QIURC: "dnsgip",0,2,0', '+QIURC: "dnsgip","1.1.1.1"',
                                            None]})
        self.check(module.tool("dns", "name.test"), NO, b"1.1.1.1\n",
                   b"announced 2 addresses; 1 came", b": lost: ")


class Ntp(Service):
    def chronyd(self):
        """Serves the machine's own clock, and leaves it alone."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        port = free_port(socket.SOCK_DGRAM)
        path = pathlib.Path(folder.name)
        (path / "conf").write_text(
            f"local stratum 1\nallow 127.0.0.1\nport {port}\nbindaddress 127.0.0.1\n"
            f"cmdport 0\nbindcmdaddress /\npidfile {path}/pid\n")
        user = subprocess.check_output(["id", "-un"], text=True).strip()
        self.serve(program("chronyd"), "-x", "-n", "-U", "-u", user, "-4",
                   "-l", str(path / "log"), "-f", str(path / "conf"), port=port, kind="udp")
        return port

    def test_time_of_a_server(self):
        module = self.sim("--route", f"time.test:123=127.0.0.1:{self.chronyd()}")
        result = module.tool("ntp", "time.test")
        self.check(result, DONE, result.stdout)
        self.assertRegex(result.stdout, rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\n$")
        told = datetime.datetime.fromisoformat(result.stdout.decode().strip())
        apart = told - datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs(apart), datetime.timedelta(hours=1))

    def test_nobody_serves(self):
        dead = free_port(socket.SOCK_DGRAM)
        module = self.sim("--route", f"time.test:123=127.0.0.1:{dead}")
        self.check(module.tool("ntp", "time.test"), NO, b"",
                   b"ntp time.test: Socket connection failed (566)")

    def test_times(self):
        for told, shown in [("26/11/22,21:30:05+32", "2026-11-22T21:30:05+08:00"),
                            ("26/11/22,21:30:05+8", "2026-11-22T21:30:05+02:00"),
                            ("26/11/22,21:30:05-3", "2026-11-22T21:30:05-00:45"),
                            ("26/11/22,21:30:05-0", "2026-11-22T21:30:05+00:00"),
                            ("2026/11/22,21:30:05+22", "2026-11-22T21:30:05+05:30")]:
            with self.subTest(told):
                module = self.rote({"AT+QNTP": [f'+QNTP: 0,"{told}"']})
                self.check(module.tool("ntp", "time.test"), DONE, shown.encode() + b"\n")

    def test_times_in_another_form(self):
        for told in ["19/06/11,11:08:20:35+32", "26/13/22,21:30:05+32", "26/11/22,21:30:05",
                     "26/11/22,21:30:05+32x", "26/11/22,21:30:05 32", "soon",
                     "126/11/22,21:30:05+0", "26/11/22,21:30:05+-1", "26/ 1/22,21:30:05+0",
                     "26/011/22,21:30:05+0"]:
            with self.subTest(told):
                module = self.rote({"AT+QNTP": [f'+QNTP: 0,"{told}"']})
                self.check(module.tool("ntp", "time.test"), DONE, told.encode() + b"\n",
                           b"as it came")

    def test_failures(self):
        module = self.rote({"AT+QNTP": ["+QNTP: 569"]})
        self.check(module.tool("ntp", "time.test"), NO, b"", b"Operation timeout (569)")
        module = self.rote({"AT+QNTP": ["+QNTP: 0"]})
        self.check(module.tool("ntp", "time.test"), NO, b"", b"lacks")

    def test_what_goes_to_the_module(self):
        for options, command in [((), 'AT+QNTP=1,"time.test"'),
                                 (("--set-clock",), 'AT+QNTP=1,"time.test",123,1')]:
            module = self.rote({"AT+QNTP": ['+QNTP: 0,"26/11/22,21:30:05+32"']})
            self.assertEqual(module.tool("ntp", *options, "time.test").returncode, DONE)
            self.assertEqual(module.heard[-1], command)

    def test_refused_before_anything_is_sent(self):
        self.refused("ntp", says=[b"SERVER", b"ntp --help"])
        self.refused("ntp", "a;b", says=[b"SERVER (server): ", b"letters"])
        self.refused("ntp", "a", "--port", "1", says=[b"--port"])


class Ping(Service):
    def test_of_loopback(self):
        pinging()
        result = self.sim().tool("ping", "127.0.0.1", "-c", "3", "-s", "100")
        self.check(result, DONE, result.stdout)
        lines = result.stdout.splitlines()
        for line in lines[:3]:
            self.assertRegex(line, rb"^100 bytes from 127\.0\.0\.1: time=\d+ ms ttl=\d+$")
        self.assertEqual(lines[3:5], [b"--- ping 127.0.0.1", b"3 sent, 3 received, 0 lost"])
        self.assertRegex(lines[5], rb"^round trip min/avg/max = \d+/\d+/\d+ ms$")
        self.assertEqual(len(lines), 6)

    def test_nobody_answers(self):
        pinging()
        # A broadcast address, which this machine doesn't even send to.
        result = self.sim().tool("ping", "-c", "2", "-W", "1", "127.255.255.255")
        self.check(result, NO, 2 * NO_REPLY + b"--- ping 127.255.255.255\n"
                   b"2 sent, 0 received, 2 lost\n", b"Operation timeout (569)")

    def test_no_such_host(self):
        pinging()
        module = self.sim("--route", f"*:53=127.0.0.1:{free_port(socket.SOCK_DGRAM)}")
        self.check(module.tool("ping", "none.test"), NO, b"",
                   b"ping none.test: DNS parse failed (565)")

    def by_rote(self, lines, status, stdout, *said):
        module = self.rote({"AT+QPING": [f"+QPING: {line}" for line in lines]})
        self.check(module.tool("ping", "-c", "2", "host.test"), status, stdout.encode(), *said)

    def test_answers(self):
        end = "--- ping host.test\n2 sent, "
        self.by_rote(['0,"192.0.2.7",32,560,88', '0,192.0.2.7,32,220,88', "0,2,2,0,220,560,390"],
                     DONE, "32 bytes from 192.0.2.7: time=560 ms ttl=88\n"
                     "32 bytes from 192.0.2.7: time=220 ms ttl=88\n" + end + "2 received, 0 lost\n"
                     "round trip min/avg/max = 220/390/560 ms\n")
        self.by_rote(["569", '0,"192.0.2.7",32,5,88', "0,2,1,1,5,5,5"], DONE,
                     NO_REPLY.decode() + "32 bytes from 192.0.2.7: time=5 ms ttl=88\n" + end +
                     "1 received, 1 lost\nround trip min/avg/max = 5/5/5 ms\n")

    def test_answers_when_no_reply_came(self):
        end = 2 * NO_REPLY.decode() + "--- ping host.test\n2 sent, 0 received, 2 lost\n"
        self.by_rote(["569", "569", "0,2,0,2"], NO, end, b"Operation timeout (569)")
        self.by_rote(["569", "569", "569"], NO, end, b"Operation timeout (569)")
        self.by_rote(["569", "569", "569,2,0,2,0,0,0"], NO,
                     end + "round trip min/avg/max = 0/0/0 ms\n", b"Operation timeout (569)")

    def test_answers_that_it_cannot_take_place(self):
        self.by_rote(["565"], NO, "", b"ping host.test: DNS parse failed (565)")
        self.by_rote(["561"], NO, "", b"Open PDP context failed (561)", b"AT+CEREG?")
        self.by_rote(["569", "565"], NO, NO_REPLY.decode() +
                     "--- ping host.test\n1 sent, 0 received, 1 lost\n", b"DNS parse failed (565)")

    def test_no_summary_comes(self):
        module = self.rote({"AT+QPING": ['+QPING: 0,"192.0.2.7",32,5,88']})
        self.check(module.tool("ping", "-c", "1", "-W", "1", "host.test"), DONE,
                   b"32 bytes from 192.0.2.7: time=5 ms ttl=88\n--- ping host.test\n"
                   b"1 sent, 1 received, 0 lost\n", b"told no summary")

    def test_error(self):
        module = self.rote({"AT+QPING": "ERROR",
                            "AT+QIGETERROR": "+QIGETERROR: 568,operation busy"})
        self.check(module.tool("ping", "host.test"), NO, b"", b"Operation busy (568)")

    def test_what_goes_to_the_module(self):
        for options, command in [((), 'AT+QPING=1,"a"'), (("-W", "9"), 'AT+QPING=1,"a",9'),
                                 (("-s", "64"), 'AT+QPING=1,"a",4,4,64'),
                                 (("-c", "1", "-W", "255"), 'AT+QPING=1,"a",255,1')]:
            module = self.rote({"AT+QPING": ["+QPING: 565"]})
            self.assertEqual(module.tool("ping", *options, "a").returncode, NO)
            self.assertEqual(module.heard[-1], command)

    def test_refused_before_anything_is_sent(self):
        self.refused("ping", says=[b"HOST", b"ping --help"])
        self.refused("ping", "-c", "11", "a", says=[b"bc26: -c (ping_num): ", b"1 to 10"])
        self.refused("ping", "-c", "0", "a", says=[b"ping_num", b"1 to 10"])
        self.refused("ping", "-c", "x", "a", says=[b"ping_num", b"1 to 10"])
        self.refused("ping", "-s", "31", "a", says=[b"-s (ping_size): ", b"32 to 200"])
        self.refused("ping", "-W", "256", "a", says=[b"-W (time_out): ", b"1 to 255"])
        self.refused("ping", "a;b", says=[b"HOST (host): ", b"letters"])
        self.refused("ping", "-i", "1", "a", says=[b"-i"])


class State(Service):
    def raw(self, module, *commands):
        """Typed by hand: each waits for a line that matches the pattern beside it."""
        fd = os.open(module.port, os.O_RDWR | os.O_NOCTTY)
        try:
            for command, awaited in commands:
                os.write(fd, command.encode() + b"\r")
                seen = b""
                while not re.search(awaited, seen):
                    seen += os.read(fd, 4096)
        finally:
            os.close(fd)

    def test_nothing_is_open(self):
        result = self.sim().tool("state")
        self.check(result, DONE, result.stdout)
        kinds = [line.split()[0] for line in result.stdout.splitlines()]
        self.assertEqual(kinds, [b"socket"] + 5 * [b"setting"] + [b"dns"])
        self.assertTrue(result.stdout.startswith(b"socket   none\n"))
        self.assertIn(b"Format of data to send: 0 (the bytes themselves)\n", result.stdout)
        self.assertTrue(result.stdout.endswith(b"dns      not told\n"))

    def test_what_was_opened_before(self):
        tcp, udp = self.echo(), free_port(socket.SOCK_DGRAM)
        module = self.sim()
        self.raw(module, (f'AT+QIOPEN=1,0,"TCP","127.0.0.1",{tcp},0,0', rb"\+QIOPEN: 0,0\r\n"),
                 (f'AT+QIOPEN=1,3,"UDP","127.0.0.1",{udp},0,1', rb"\+QIOPEN: 3,0\r\n"),
                 ('AT+QICFG="viewmode",1', rb"OK\r\n"),
                 ('AT+QIDNSCFG=1,"192.0.2.1","192.0.2.2"', rb"OK\r\n"))
        result = module.tool("state")
        self.check(result, DONE, result.stdout)
        lines = [re.sub(" +", " ", line) for line in result.stdout.decode().splitlines()]
        self.assertRegex(lines[0], rf"^socket 0 TCP 127\.0\.0\.1:{tcp} from port \d+ "
                         r"2 \(connected\) mode 0 \(kept by the module until they are read with "
                         r"AT\+QIRD\)$")
        self.assertRegex(lines[1], rf"^socket 3 UDP 127\.0\.0\.1:{udp} from port \d+ "
                         r"2 \(connected\) mode 1 \(sent with the URC that announces them\)$")
        self.assertIn("setting view_mode What stands between a data header and its data: "
                      "1 (a comma)", lines)
        self.assertEqual(lines[-1], "dns 192.0.2.1 192.0.2.2")

    def test_answers_that_no_virtual_module_gives(self):
        socket_lines = ('+QISTATE: 0,"TCP","2001:db8::1",80,0,7,1,0\r\n'
                        '+QISTATE: 4,"SCTP","host.test",65535,1024,4,1,1,9')
        module = self.rote({"AT+QISTATE?": socket_lines, "AT+QIDNSCFG=1": "ERROR"})
        result = module.tool("state")
        self.check(result, DONE, result.stdout)
        lines = [re.sub(" +", " ", line) for line in result.stdout.decode().splitlines()]
        self.assertTrue(lines[0].startswith(
            "socket 0 TCP [2001:db8::1]:80 from port 0 7 mode 0 (kept"))
        self.assertTrue(lines[1].startswith(
            "socket 4 SCTP host.test:65535 from port 1024 4 (the remote server is closing"))
        self.assertEqual(lines[-1], "dns not told")

    def test_error(self):
        module = self.rote({"AT+QISTATE?": "ERROR"})
        result = module.tool("state")
        self.assertEqual((result.returncode, result.stdout), (NO, b""))
        self.assertIn(b"bc26: ", result.stderr)

    def test_arguments(self):
        self.refused("state", "all", says=[b"takes no arguments, not 'all'"])


class SimStart(Service):
    def test_a_state_file_that_could_not_be_written(self):
        result = run("sim", "--tcp", "0", "--state", "/nowhere/state", timeout=5)
        self.check(result, USAGE, b"", b"/nowhere/state: settings can't be kept there")
        self.assertNotIn(b"ready", result.stderr)


class Ends(Service):
    """Waits that are cut short. None of them may hang."""

    def test_connection_dropped(self):
        for command, lost_at in [(("ping", "a"), "AT+QPING"), (("ntp", "a"), "AT+QNTP"),
                                 (("dns", "a"), "AT+QIDNSGIP"), (("state",), "AT+QIDNSCFG"),
                                 (("dns", "a", "--server", "1.1.1.1"), "AT+QIDNSCFG")]:
            with self.subTest(command):
                module = self.rote({lost_at: None})
                result = module.tool(*command)
                self.assertEqual(result.returncode, NO)
                self.assertIn(module.port.encode() + b": lost: ", result.stderr)
                self.assertIn(b"try again", result.stderr)

    def begin(self, module, *command, awaited):
        """The tool at work, once its trace shows that the command has gone out."""
        process = subprocess.Popen([BC26, "--port", module.port, "--trace", *command],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        line = b""
        while awaited not in line:
            line = process.stderr.readline()
            self.assertNotEqual(line, b"", "it ended before")
        return process

    def silent(self):
        """A module, and a server of names that takes questions and never answers."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        return self.sim("--route", f"*:53=127.0.0.1:{port}",
                        "--route", f"127.0.0.1:123=127.0.0.1:{port}")

    def test_unplugged(self):
        for command, awaited in [(("ntp", "127.0.0.1"), b"AT+QNTP"),
                                 (("dns", "a.test"), b"AT+QIDNSGIP")]:
            with self.subTest(command):
                module = self.silent()
                process = self.begin(module, *command, awaited=awaited)
                module.process.kill()
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, out), (NO, b""), err)
                self.assertIn(b": lost: the port is gone", err)

    def test_unplugged_while_pinging(self):
        pinging()
        module = self.sim()
        process = self.begin(module, "ping", "-W", "255", "127.255.255.255", awaited=b"AT+QPING")
        module.process.kill()
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (NO, b""), err)
        self.assertIn(b": lost: the port is gone", err)

    def test_interrupted(self):
        module = self.silent()
        fd = os.open(module.port, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, fd)
        found = termios.tcgetattr(fd)
        found[3] |= termios.ICANON
        termios.tcsetattr(fd, termios.TCSANOW, found)
        found = termios.tcgetattr(fd)
        process = self.begin(module, "ntp", "127.0.0.1", awaited=b"AT+QNTP")
        self.assertFalse(termios.tcgetattr(fd)[3] & termios.ICANON)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (128 + signal.SIGINT, b""), err)
        self.assertEqual(termios.tcgetattr(fd), found)

    def test_full_disk(self):
        for command, answers in [(["state"], {}),
                                 (["ntp", "a"], {"AT+QNTP": ['+QNTP: 0,"26/11/22,21:30:05+0"']}),
                                 (["ping", "a"], {"AT+QPING": ['+QPING: 0,"192.0.2.7",32,5,88',
                                                               "+QPING: 0,1,1,0,5,5,5"]})]:
            with self.subTest(command), open("/dev/full", "wb") as full:
                module = self.rote(answers)
                result = subprocess.run([BC26, "--port", module.port, *command], stdout=full,
                                        stderr=subprocess.PIPE, timeout=PATIENCE)
                self.assertEqual(result.returncode, USAGE)
                self.assertIn(b"stdout can't be written: ", result.stderr)

    def test_no_port(self):
        for command in [("ping", "a"), ("ntp", "a"), ("dns", "a"), ("state",)]:
            self.check(run("--port", "/nowhere/at/all", *command), USAGE, b"", b"no such port")
            self.check(run(*command), USAGE, b"", b"--port PATH|HOST:PORT")

    def test_help(self):
        for command in ("ping", "dns", "ntp", "state"):
            result = run(command, "--help")
            self.check(result, DONE, result.stdout)
            self.assertIn(f"usage: bc26 --port PATH|HOST:PORT {command}".encode(), result.stdout)


if __name__ == "__main__":
    unittest.main()
