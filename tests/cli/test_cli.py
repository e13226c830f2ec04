"""The contracts of `bc26 decode` and `bc26 encode`, from outside: bytes in, lines out."""

import json
import subprocess
import tempfile
import unittest

from support import BC26, DONE, NO, ROOT, USAGE, run


class Decode(unittest.TestCase):
    maxDiff = None

    def lines(self, data, *arguments):
        """What decode prints, as text, the same in every chunk size and from a file."""
        result = run("decode", *arguments, data=data)
        self.assertEqual(result.returncode, DONE, result.stderr)
        self.assertEqual(result.stderr, b"")
        with tempfile.NamedTemporaryFile() as capture:
            capture.write(data)
            capture.flush()
            from_file = run("decode", *arguments, capture.name)
        self.assertEqual(from_file.stdout, result.stdout)
        self.assertEqual(from_file.returncode, DONE)
        for size in ("1", "2", "3", "7", "64", "100000"):
            chunked = run("decode", "--chunk", size, *arguments, data=data)
            self.assertEqual(chunked.stdout, result.stdout, f"--chunk {size}")
        text = result.stdout.decode("ascii")
        self.assertTrue(text == "" or text.endswith("\n"))
        for line in text.splitlines():
            self.assertIsInstance(json.loads(line), dict)
        return text.splitlines()

    def check(self, data, expected, *arguments):
        """Exact lines: the keys' order and the numbers' form count."""
        self.assertEqual(self.lines(data, *arguments), expected)

    def test_nothing(self):
        self.check(b"", [])
        self.check(b"\r\n\r\n\n\r\r\n", [])

    def test_finals(self):
        self.check(
            b"\r\nOK\r\n\r\nERROR\r\n\r\nSEND OK\r\n\r\nSEND FAIL\r\n\r\nCLOSE OK\r\n"
            b"\r\nCLOSE FAIL\r\n\r\n+CME ERROR: 3\r\n\r\n+CME ERROR: SIM not inserted\r\n",
            [
                '{"event":"final","result":"OK"}',
                '{"event":"final","result":"ERROR"}',
                '{"event":"final","result":"SEND OK"}',
                '{"event":"final","result":"SEND FAIL"}',
                '{"event":"final","result":"CLOSE OK"}',
                '{"event":"final","result":"CLOSE FAIL"}',
                '{"event":"final","result":"+CME ERROR","code":3}',
                '{"event":"final","result":"+CME ERROR","text":"SIM not inserted"}',
            ],
        )

    def test_lookalikes_are_unknown(self):
        lookalikes = [b" OK", b"OK ", b"OKAY", b"xOK", b"O\0K", b"foo\rOK", b"ok", b"SEND OK ",
                      b"ERRORS", b"E\xff\xb8ROR"]
        for text in lookalikes:
            readable = "".join(
                chr(c) if 0x20 <= c <= 0x7E else f"\\u{c:04x}" for c in text)
            self.check(b"\r\n" + text + b"\r\n\r\nOK\r\n", [
                '{"event":"unknown","text":"' + readable + '"}',
                '{"event":"final","result":"OK"}',
            ])

    def test_unknown_lines_as_they_came(self):
        self.check(
            b'\r\n+CEREG: 5\r\n+QNBIOTEVENT: "ENTER PSM"\r\na\\b\t\x00\x7f\x80\xff\r\n',
            [
                '{"event":"unknown","text":"+CEREG: 5"}',
                '{"event":"unknown","text":"+QNBIOTEVENT: \\"ENTER PSM\\""}',
                '{"event":"unknown","text":"a\\\\b\\u0009\\u0000\\u007f\\u0080\\u00ff"}',
            ],
        )

    def test_boot(self):
        self.check(
            b"\x00\xfe\n\rF1: 0000 0000\n\rLeaving the BROM\n\r\r\nRDY\r\nAT\r\r\nOK\r\n",
            [
                '{"event":"unknown","text":"\\u0000\\u00fe"}',
                '{"event":"unknown","text":"F1: 0000 0000"}',
                '{"event":"unknown","text":"Leaving the BROM"}',
                '{"event":"unknown","text":"RDY"}',
                '{"event":"echo","text":"AT","command":"AT","form":"execute"}',
                '{"event":"final","result":"OK"}',
            ],
        )

    def test_echoes(self):
        self.check(
            b'AT+QIRD=0,512\r\r\n+QIRD: 0\r\n\r\nOK\r\nAT+CFUN?\r\r\n+CFUN: 0\r\n\r\nOK\r\n'
            b'AT+QICFG="viewmode",1\r\n\r\nOK\r\nat+qistate?\r\r\nOK\r\nAT+QISEND=7\r\r\nERROR\r\n',
            [
                '{"event":"echo","text":"AT+QIRD=0,512","command":"QIRD","form":"set"}',
                '{"event":"response","name":"QIRD","fields":{"actual_read_length":0}}',
                '{"event":"final","result":"OK"}',
                '{"event":"echo","text":"AT+CFUN?"}',
                '{"event":"unknown","text":"+CFUN: 0"}',
                '{"event":"final","result":"OK"}',
                '{"event":"echo","text":"AT+QICFG=\\"viewmode\\",1","command":"QICFG",'
                '"form":"viewmode"}',
                '{"event":"final","result":"OK"}',
                '{"event":"echo","text":"at+qistate?","command":"QISTATE","form":"read"}',
                '{"event":"final","result":"OK"}',
                '{"event":"echo","text":"AT+QISEND=7","command":"QISEND"}',
                '{"event":"final","result":"ERROR"}',
            ],
        )

    def test_responses(self):
        self.check(
            b'\r\n+QISTATE: 0,"TCP","iot.quectel.com",8062,1234,2,1,0\r\n'
            b'+QISEND: 4294967295,10,0\r\n'
            b'+QIDNSCFG: 1,"218.2.2.2","8.8.8.8"\r\n+QIDNSCFG: 1,218.2.2.2\r\n'
            b'+QICFG: "dataformat",0,1\r\n+QICFG: "viewmode",0\r\n+QICFG: "showlength",0\r\n'
            b'+QICFG: "echomode",0\r\n+QIGETERROR: 552,invalid parameters\r\n\r\nOK\r\n',
            [
                '{"event":"response","name":"QISTATE","fields":{"connectID":0,"service_type":"TCP",'
                '"host":"iot.quectel.com","remote_port":8062,"local_port":1234,"socket_state":2,'
                '"contextID":1,"access_mode":0}}',
                '{"event":"response","name":"QISEND","fields":{"sent":4294967295,"acked":10,'
                '"nAcked":0}}',
                '{"event":"response","name":"QIDNSCFG","fields":{"contextID":1,'
                '"pridnsaddr":"218.2.2.2","secdnsaddr":"8.8.8.8"}}',
                '{"event":"response","name":"QIDNSCFG","fields":{"contextID":1,'
                '"pridnsaddr":"218.2.2.2"}}',
                '{"event":"response","name":"QICFG.dataformat","fields":{"send_data_format":0,'
                '"recv_data_format":1}}',
                '{"event":"response","name":"QICFG.viewmode","fields":{"view_mode":0}}',
                '{"event":"response","name":"QICFG.showlength","fields":{"show_length_mode":0}}',
                '{"event":"response","name":"QICFG.echomode","fields":{"echo_mode":0}}',
                '{"event":"response","name":"QIGETERROR","fields":{"err":552,'
                '"errcode_description":"invalid parameters"}}',
                '{"event":"final","result":"OK"}',
            ],
        )

    def test_test_answers(self):
        self.check(
            b'\r\n+QIOPEN: (1-3),(0-4),"TCP/UDP","<IP_address>/<domain_name>",<remote_port>,'
            b'<local_port>,(0-1)[,<0-1>]\r\n\r\nOK\r\n\r\n+QICFG: "viewmode",(0,1)\r\n',
            [
                '{"event":"response","name":"QIOPEN.test","text":"(1-3),(0-4),\\"TCP/UDP\\",'
                '\\"<IP_address>/<domain_name>\\",<remote_port>,<local_port>,(0-1)[,<0-1>]"}',
                '{"event":"final","result":"OK"}',
                '{"event":"response","name":"QICFG.test","text":"\\"viewmode\\",(0,1)"}',
            ],
        )

    def test_results_and_urcs(self):
        self.check(
            b'\r\n+QIOPEN: 0,566\r\n\r\n+QIURC: "closed",1\r\n\r\n+QIURC: "recv",2\r\n'
            b'\r\n+QIURC: "recv",2,12\r\n\r\n+QIURC: "recv",0,"buff full"\r\n'
            b'\r\n+QIURC: "recv",buff full\r\n\r\n+QIURC: "dnsgip",0,2,600\r\n'
            b'\r\n+QIURC: "dnsgip","1.1.1.1"\r\n\r\n+QIURC: "dnsgip",565\r\n'
            b'\r\n+QPING: 0,"47.100.63.174",32,560,88\r\n\r\n+QPING: 569\r\n'
            b'\r\n+QPING: 0,4,4,0,220,560,322\r\n\r\n+QPING: 0,4,0,4\r\n'
            b'\r\n+QNTP: 0,"19/06/11,11:08:20:35+32"\r\n\r\n+QNTP: 569\r\n',
            [
                '{"event":"urc","name":"QIOPEN","fields":{"connectID":0,"err":566}}',
                '{"event":"urc","name":"closed","fields":{"connectID":1}}',
                '{"event":"urc","name":"recv","fields":{"connectID":2}}',
                '{"event":"urc","name":"recv","fields":{"connectID":2,"current_rcv_length":12}}',
                '{"event":"urc","name":"buffer_full","fields":{"connectID":0}}',
                '{"event":"urc","name":"buffer_full","fields":{}}',
                '{"event":"urc","name":"dnsgip","fields":{"err":0,"IP_count":2,"DNS_ttl":600}}',
                '{"event":"urc","name":"dnsgip_address","fields":{"hostIPAddr":"1.1.1.1"}}',
                '{"event":"urc","name":"dnsgip","fields":{"err":565}}',
                '{"event":"urc","name":"QPING","fields":{"result":0,"IP_address":"47.100.63.174",'
                '"bytes":32,"time":560,"ttl":88}}',
                '{"event":"urc","name":"QPING","fields":{"result":569}}',
                '{"event":"urc","name":"QPING.summary","fields":{"finresult":0,"sent":4,"rcvd":4,'
                '"lost":0,"min":220,"max":560,"avg":322}}',
                '{"event":"urc","name":"QPING.summary","fields":{"finresult":0,"sent":4,"rcvd":0,'
                '"lost":4}}',
                '{"event":"urc","name":"QNTP","fields":{"err":0,"time":"19/06/11,11:08:20:35+32"}}',
                '{"event":"urc","name":"QNTP","fields":{"err":569}}',
            ],
        )

    def test_payloads_follow_the_settings(self):
        hello = '"payload":"68656c6c6f"}'
        for arguments, data, fields in [
            ([], b"+QIRD: 5\r\nhello", '"actual_read_length":5'),
            (["show_length=1"], b"+QIRD: 5,2\r\nhello",
             '"actual_read_length":5,"remaining_length":2'),
            (["view_mode=1"], b"+QIRD: 5,hello", '"actual_read_length":5'),
            (["view_mode=1", "show_length=1"], b"+QIRD: 5,2,hello",
             '"actual_read_length":5,"remaining_length":2'),
            (["recv_data_format=1"], b"+QIRD: 5\r\n68656C6c6f", '"actual_read_length":5'),
            (["recv_data_format=1", "view_mode=1"], b"+QIRD: 5,68656C6c6f",
             '"actual_read_length":5'),
        ]:
            sets = [word for name in arguments for word in ("--set", name)]
            self.check(b"\r\n" + data + b"\r\n\r\nOK\r\n", [
                '{"event":"response","name":"QIRD","fields":{' + fields + "}," + hello,
                '{"event":"final","result":"OK"}',
            ], *sets)

    def test_push_and_notice(self):
        data = b'\r\n+QIURC: "recv",1,4\r\nOK\r\n\r\n+QIURC: "closed",1\r\n'
        closed = '{"event":"urc","name":"closed","fields":{"connectID":1}}'
        recv = '{"event":"urc","name":"recv","fields":{"connectID":1,"current_rcv_length":4}'
        self.check(data, [recv + "}", '{"event":"final","result":"OK"}', closed])
        self.check(data, [recv + ',"payload":"4f4b0d0a"}', closed], "--set", "access_mode[1]=1")
        self.check(data, [recv + "}", '{"event":"final","result":"OK"}', closed],
                   "--set", "access_mode[0]=1")

    def test_payload_of_any_bytes(self):
        data = bytes(range(256)) * 2
        self.check(b"\r\n+QIRD: 512\r\n" + data + b"\r\n\r\nOK\r\n", [
            '{"event":"response","name":"QIRD","fields":{"actual_read_length":512},"payload":"'
            + data.hex() + '"}',
            '{"event":"final","result":"OK"}',
        ])

    def test_no_hexadecimal_digits(self):
        [line, _] = self.lines(b"\r\n+QIRD: 2\r\n0gOK\r\n\r\nOK\r\n", "--set", "recv_data_format=1")
        event = json.loads(line)
        self.assertEqual(list(event), ["event", "name", "fields", "payload", "error"])
        self.assertEqual(event["payload"], b"0gOK".hex())
        self.assertTrue(event["error"])

    def test_lengths_beyond_what_the_module_sends(self):
        self.check(
            b'\r\n+QIRD: 513\r\n\r\nOK\r\n\r\n+QIURC: "recv",0,1501\r\n\r\nOK\r\n',
            [
                '{"event":"unknown","text":"+QIRD: 513"}',
                '{"event":"final","result":"OK"}',
                '{"event":"unknown","text":"+QIURC: \\"recv\\",0,1501"}',
                '{"event":"final","result":"OK"}',
            ], "--set", "access_mode[0]=1")

    def test_what_does_not_fit_is_unknown(self):
        for text in ["+QIOPEN: 0", "+QIOPEN: 0,0,0", "+QIOPEN: 0,x", "+QIURC: \"closed\"",
                     "+QPING: 0,4,4", "+QIOPEN: 0,2147483648", "+QISEND: 1,2,4294967296",
                     "+QIRD: 5,2", "+QICFG: \"viewmode\"", "+QIRD: "]:
            self.check(b"\r\n" + text.encode() + b"\r\n\r\nOK\r\n", [
                json.dumps({"event": "unknown", "text": text}, separators=(",", ":")),
                '{"event":"final","result":"OK"}',
            ])

    def test_numbers_out_of_range_as_they_came(self):
        self.check(
            b'\r\n+QIOPEN: 9,999\r\n\r\n+QIURC: "closed",-1\r\n\r\n+QIOPEN: 007,2147483647\r\n'
            b'+QISTATE: 9,"SCTP","h",65536,-5,17,4,9\r\n',
            [
                '{"event":"urc","name":"QIOPEN","fields":{"connectID":9,"err":999}}',
                '{"event":"urc","name":"closed","fields":{"connectID":-1}}',
                '{"event":"urc","name":"QIOPEN","fields":{"connectID":7,"err":2147483647}}',
                '{"event":"response","name":"QISTATE","fields":{"connectID":9,'
                '"service_type":"SCTP","host":"h","remote_port":65536,"local_port":-5,'
                '"socket_state":17,"contextID":4,"access_mode":9}}',
            ],
        )

    def test_overlong(self):
        ok = '{"event":"final","result":"OK"}'
        fits = '{"event":"unknown","text":"' + "x" * 4096 + '"}'
        self.check(b"x" * 4096 + b"\r\nOK\r\n", [fits, ok])
        self.check(b"x" * 4096 + b"\r\r\r\nOK\r\n", [fits, ok])
        self.check(b"x" * 4097 + b"\r\nOK\r\n", ['{"event":"overlong","length":4097}', ok])
        self.check(b"x" * 5000 + b"\r\nOK\r\n", ['{"event":"overlong","length":5000}', ok])
        self.check(b"x" * 4096 + b"\rx\r\nOK\r\n", ['{"event":"overlong","length":4098}', ok])
        self.check(b"x" * 5000, ['{"event":"overlong","length":5000}'])

    def test_incomplete(self):
        self.check(b"\r\nOK\r\n+QIR", [
            '{"event":"final","result":"OK"}', '{"event":"incomplete","text":"+QIR"}'])
        self.check(b"OK\r", ['{"event":"incomplete","text":"OK"}'])
        self.check(b"\r\n+QIRD: 10\r\n123", [
            '{"event":"incomplete","name":"QIRD","fields":{"actual_read_length":10},'
            '"payload":"313233","missing":7}'])
        self.check(b"\r\n+QIRD: 10\r\n", [
            '{"event":"incomplete","name":"QIRD","fields":{"actual_read_length":10},'
            '"payload":"","missing":10}'])
        self.check(b"\r\n+QIRD: 3\r\n313", [
            '{"event":"incomplete","name":"QIRD","fields":{"actual_read_length":3},'
            '"payload":"31","missing":2}'], "--set", "recv_data_format=1")

    def test_prompts(self):
        prompt = '{"event":"prompt"}'
        ok = '{"event":"final","result":"OK"}'
        for shape in (b">", b"> ", b"\r\n>", b"\r\n> ", b"\r\n> \r\n", b">\r\n"):
            self.check(shape + b"\r\nOK\r\n", [prompt, ok])
        self.check(b"AT+QISEND=0,5\r\r\n> \r\nOK\r\n\r\nSEND OK\r\n", [
            '{"event":"echo","text":"AT+QISEND=0,5","command":"QISEND","form":"fixed"}',
            prompt, ok, '{"event":"final","result":"SEND OK"}'])
        self.check(b"AT+QIRD=0,5\r\r\n>\r\nOK\r\n", [
            '{"event":"echo","text":"AT+QIRD=0,5","command":"QIRD","form":"set"}',
            '{"event":"unknown","text":">"}', ok])

    def test_data_that_come_back(self):
        echo = '{"event":"echo","text":"AT+QISEND=0,5","command":"QISEND","form":"fixed"}'
        prompt = '{"event":"prompt"}'
        ok = '{"event":"final","result":"OK"}'
        self.check(b"AT+QISEND=0,5\r\r\n> a\r\nOK\r\nOK\r\n",
                   [echo, prompt, '{"event":"echo","payload":"610d0a4f4b"}', ok],
                   "--set", "echo_mode=1")
        self.check(b"AT+QISEND=0,5\r\r\n> abc",
                   [echo, prompt, '{"event":"incomplete","payload":"616263","missing":2}'],
                   "--set", "echo_mode=1")

    def test_a_log_sets_the_settings(self):
        """Chapter 4.1.3 as a terminal would show it."""
        lines = self.lines(
            b'\r\n+QIURC: "recv",0\r\n'
            b'AT+QIRD=0,512\r\r\n+QIRD: 10\r\n1234567890\r\n\r\nOK\r\n'
            b'AT+QIRD=0,512\r\r\n+QIRD: 0\r\n\r\nOK\r\n'
            b'AT+QICFG="showlength",1\r\r\nOK\r\n\r\n+QIURC: "recv",0,12\r\n'
            b'AT+QIRD=0,10\r\r\n+QIRD: 10,2\r\n1234567890\r\n\r\nOK\r\n'
            b'\r\n+QIURC: "recv",0,"buff full"\r\n'
            b'AT+QICFG="viewmode",1\r\r\nOK\r\n'
            b'AT+QISEND=0,12,"012345678901"\r\r\nOK\r\n\r\nSEND OK\r\n\r\n+QIURC: "recv",0,12\r\n'
            b'AT+QIRD=0,10\r\r\n+QIRD: 10,2,0123456789\r\n\r\nOK\r\n')
        events = [json.loads(line) for line in lines]
        self.assertNotIn("unknown", [event["event"] for event in events])
        self.assertEqual(
            [bytes.fromhex(event["payload"]) for event in events if "payload" in event],
            [b"1234567890", b"1234567890", b"0123456789"])

    def test_refused_settings_are_not_taken_over(self):
        self.check(b'AT+QICFG="viewmode",1\r\r\nERROR\r\n\r\n+QIRD: 2\r\nab\r\n', [
            '{"event":"echo","text":"AT+QICFG=\\"viewmode\\",1","command":"QICFG",'
            '"form":"viewmode"}',
            '{"event":"final","result":"ERROR"}',
            '{"event":"response","name":"QIRD","fields":{"actual_read_length":2},"payload":"6162"}',
        ])

    def test_a_late_result_leaves_the_pending_command_pending(self):
        lines = self.lines(b'AT+QICLOSE=0\r\r\nOK\r\nAT+QICFG="viewmode",1\r\r\nCLOSE OK\r\n'
                           b'\r\nOK\r\n\r\n+QIRD: 2,ab\r\n')
        self.assertEqual(json.loads(lines[-1]).get("payload"), "6162")

    def test_set_is_checked(self):
        for wrong in ("view_mode", "view_mode=2", "view_mode=", "view_mode=x", "view_mode=-1",
                      "view_mode=1x", "view_mode=01x", "view_mode[0]=1", "viewmode=1", "=1", "",
                      "access_mode=1", "access_mode[5]=1", "access_mode[-1]=1", "access_mode[]=1",
                      "access_mode[0]x=1", "access_mode[0x=1", "access_mode[0=1",
                      "access_mode[0]=2", "access_mode[x]=1", "access_mode[4294967296]=1",
                      "view_mode=4294967297"):
            result = run("decode", "--set", wrong, data=b"OK\r\n")
            self.assertEqual(result.returncode, USAGE, wrong)
            self.assertEqual(result.stdout, b"", wrong)
            self.assertNotEqual(result.stderr, b"", wrong)
        names = run("decode", "--set", "nosuch=1").stderr.decode()
        for name in ("send_data_format", "recv_data_format", "view_mode", "show_length",
                     "echo_mode", "access_mode[0..4]"):
            self.assertIn(name, names)

    def test_usage(self):
        for wrong in (["--chunk"], ["--chunk", "0"], ["--chunk", "x"], ["--chunk", "-1"],
                      ["--chunk", ""], ["--chunk", " 1"], ["--chunk", "1x"], ["--set"], ["--bogus"],
                      ["no/such/file"], ["/dev/null", "/dev/null"], [str(ROOT)]):
            result = run("decode", *wrong, data=b"OK\r\n")
            self.assertEqual(result.returncode, USAGE, wrong)
            self.assertEqual(result.stdout, b"", wrong)
            self.assertNotEqual(result.stderr, b"", wrong)

    def test_dash_is_stdin(self):
        self.assertEqual(run("decode", "-", data=b"OK\r\n").stdout,
                         b'{"event":"final","result":"OK"}\n')

    def test_events_come_as_the_bytes_do(self):
        """A live line: an event is printed before the input ends."""
        with subprocess.Popen([BC26, "decode"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            process.stdin.write(b"\r\nOK\r\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b'{"event":"final","result":"OK"}\n')
            process.stdin.close()
            self.assertEqual(process.wait(timeout=60), DONE)


class Encode(unittest.TestCase):
    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([BC26, "encode", "QISTATE.read"], stdout=full,
                                    stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, USAGE)
        self.assertIn(b"stdout can't be written: ", result.stderr)

    def encodes(self, expected, *arguments):
        result = run("encode", *arguments)
        self.assertEqual(result.stdout, expected, result.stderr)
        self.assertEqual(result.stderr, b"")
        self.assertEqual(result.returncode, DONE)

    def refuses(self, words, *arguments, status=NO):
        """Nothing on stdout, and a message that holds the words."""
        result = run("encode", *arguments)
        self.assertEqual(result.stdout, b"")
        message = result.stderr.decode()
        self.assertEqual(result.returncode, status, message)
        self.assertEqual(message.count("\n"), 1, "one line")
        for word in words:
            self.assertIn(word, message)

    OPEN = ("QIOPEN", "contextID=1", "connectID=0", "service_type=TCP", "host=220.180.239.212",
            "remote_port=8062")

    def changed(self, change):
        """The arguments of a good QIOPEN with one of them changed, or left out."""
        name = change.split("=")[0]
        kept = [word for word in self.OPEN if not word.startswith(name + "=")]
        return kept + [change] if "=" in change else kept

    def test_the_example(self):
        self.encodes(b'AT+QIOPEN=1,0,"TCP","220.180.239.212",8062\r', *self.OPEN)

    def test_the_order_of_the_arguments_does_not_matter(self):
        self.encodes(b'AT+QIOPEN=1,0,"TCP","220.180.239.212",8062\r', "QIOPEN",
                     *reversed(self.OPEN[1:]))

    def test_every_set_form(self):
        for expected, *arguments in [
            (b'AT+QIOPEN=1,4,"UDP","a.b",1,0,1,1\r', "QIOPEN.set", "contextID=1", "connectID=4",
             "service_type=UDP", "host=a.b", "remote_port=1", "local_port=0", "access_mode=1",
             "protocol_type=1"),
            (b"AT+QICLOSE=4\r", "QICLOSE", "connectID=4"),
            (b"AT+QISTATE=0,1\r", "QISTATE.context", "contextID=1"),
            (b"AT+QISTATE=1,3\r", "QISTATE.connection", "connectID=3"),
            (b"AT+QISEND=0,5,hello\r", "QISEND.inline", "connectID=0", "send_length=5",
             "data=hello"),
            (b'AT+QISEND=0,5,"a,b c"\r', "QISEND.inline", "connectID=0", "send_length=5",
             "data=a,b c"),
            (b"AT+QISEND=0\r", "QISEND.stream", "connectID=0"),
            (b"AT+QISEND=0,1460\r", "QISEND.fixed", "connectID=0", "send_length=1460"),
            (b"AT+QISEND=0,0\r", "QISEND.progress", "connectID=0"),
            (b"AT+QIRD=0,512\r", "QIRD", "connectID=0", "read_length=512"),
            (b"AT+QISENDEX=0,2,0AF1\r", "QISENDEX", "connectID=0", "send_length=2",
             "hex_string=0aF1"),
            (b"AT+QISWTMD=0,1\r", "QISWTMD", "connectID=0", "access_mode=1"),
            (b'AT+QPING=1,"iot.quectel.com"\r', "QPING", "contextID=1", "host=iot.quectel.com"),
            (b'AT+QPING=1,"iot.quectel.com",255,10,200\r', "QPING", "contextID=1",
             "host=iot.quectel.com", "time_out=255", "ping_num=10", "ping_size=200"),
            (b'AT+QNTP=1,"ntp5.aliyun.com",123,1\r', "QNTP", "contextID=1",
             "server=ntp5.aliyun.com", "port=123", "autosettime=1"),
            (b'AT+QIDNSGIP=1,"a-b.example"\r', "QIDNSGIP", "contextID=1", "hostname=a-b.example"),
            (b"AT+QIDNSCFG=1\r", "QIDNSCFG.query", "contextID=1"),
            (b'AT+QIDNSCFG=1,"218.2.2.2","8.8.8.8"\r', "QIDNSCFG.set", "contextID=1",
             "pridnsaddr=218.2.2.2", "secdnsaddr=8.8.8.8"),
            (b'AT+QIDNSCFG=1,"2001:db8::1"\r', "QIDNSCFG.set", "contextID=1",
             "pridnsaddr=2001:db8::1"),
            (b'AT+QICFG="dataformat"\r', "QICFG.dataformat"),
            (b'AT+QICFG="dataformat",0,1\r', "QICFG.dataformat", "send_data_format=0",
             "recv_data_format=1"),
            (b'AT+QICFG="viewmode",1\r', "QICFG.viewmode", "view_mode=1"),
            (b'AT+QICFG="showlength",1\r', "QICFG.showlength", "show_length_mode=1"),
            (b'AT+QICFG="echomode",0\r', "QICFG.echomode", "echo_mode=0"),
        ]:
            self.encodes(expected, *arguments)

    def test_other_forms(self):
        for command in ("QIOPEN", "QICLOSE", "QISTATE", "QISEND", "QIRD", "QISENDEX", "QISWTMD",
                        "QPING", "QNTP", "QIDNSGIP", "QIDNSCFG", "QICFG", "QIGETERROR"):
            self.encodes(f"AT+{command}=?\r".encode(), command + ".test")
        self.encodes(b"AT+QISTATE?\r", "QISTATE.read")
        self.encodes(b"AT+QISWTMD?\r", "QISWTMD.read")
        self.encodes(b"AT+QIGETERROR\r", "QIGETERROR.execute")
        self.encodes(b"AT\r", "AT")
        self.encodes(b"ATE0\r", "ATE0")

    def test_the_form_may_be_left_out(self):
        self.encodes(b"AT+QIGETERROR\r", "QIGETERROR")
        self.encodes(b"AT+QISWTMD=0,1\r", "QISWTMD", "connectID=0", "access_mode=1")
        self.encodes(b'AT+QICFG="viewmode",1\r', "QICFG", "view_mode=1")
        self.encodes(b'AT+QIDNSCFG=1,"1.1.1.1"\r', "QIDNSCFG", "contextID=1", "pridnsaddr=1.1.1.1")
        # Data may stand in the line or come after the prompt: one has to say which.
        self.refuses(["QISEND.inline", "QISEND.fixed"], "QISEND", "connectID=0", "send_length=5",
                     "data=hello", status=USAGE)
        self.refuses(["QISEND.stream", "QISEND.progress"], "QISEND", "connectID=0", status=USAGE)

    def test_settings(self):
        self.encodes(b"AT+QISEND=0,5,68656C6C6F\r", "--set", "send_data_format=1",
                     "QISEND.inline", "connectID=0", "send_length=5", "data=hello")
        self.refuses(["send_length", "512"], "--set", "send_data_format=1", "QISEND.inline",
                     "connectID=0", "send_length=513", "data=" + "x" * 513)
        self.encodes(b"AT+QISEND=0,1024," + b"x" * 1024 + b"\r", "QISEND.inline", "connectID=0",
                     "send_length=1024", "data=" + "x" * 1024)

    def test_missing(self):
        for name in ("contextID", "connectID", "service_type", "host", "remote_port"):
            self.refuses([name, "missing"], *self.changed(name))

    def test_left_out_before_one_that_is_given(self):
        self.refuses(["local_port", "missing"], *self.OPEN, "access_mode=1")
        self.refuses(["local_port", "missing"], *self.OPEN, "protocol_type=0")
        self.refuses(["access_mode", "missing"], *self.OPEN, "local_port=0", "protocol_type=0")
        self.refuses(["recv_data_format", "missing"], "QICFG.dataformat", "send_data_format=1")
        self.refuses(["send_data_format", "missing"], "QICFG.dataformat", "recv_data_format=1")

    def test_out_of_range(self):
        for change, words in {
            "contextID=0": ["contextID", "1"],
            "contextID=2": ["contextID", "1"],
            "connectID=5": ["connectID", "0 to 4"],
            "connectID=-1": ["connectID", "0 to 4"],
            "connectID=4294967296": ["connectID", "0 to 4"],
            "connectID=99999999999999999999": ["connectID", "0 to 4"],
            "service_type=tcp": ["service_type", "TCP", "UDP"],
            "service_type=": ["service_type", "TCP", "UDP"],
            "remote_port=0": ["remote_port", "1 to 65535"],
            "remote_port=65536": ["remote_port", "1 to 65535"],
            "local_port=65536": ["local_port", "0 to 65535"],
        }.items():
            self.refuses(words, *self.changed(change))
        self.refuses(["read_length", "1 to 512"], "QIRD", "connectID=0", "read_length=513")
        self.refuses(["port", "123"], "QNTP", "contextID=1", "server=a", "port=124")
        self.refuses(["ping_size", "32 to 200"], "QPING", "contextID=1", "host=a", "time_out=1",
                     "ping_num=1", "ping_size=31")
        self.refuses(["send_length", "1024"], "QISEND.inline", "connectID=0", "send_length=1025",
                     "data=" + "x" * 1025)
        self.refuses(["send_length", "1460"], "QISEND.fixed", "connectID=0", "send_length=1461")
        self.refuses(["send_length", "1460"], "QISEND.fixed", "connectID=0", "send_length=0")

    def test_no_number(self):
        for text in ("", "x", "1x", " 1", "1 ", "+1", "0x1", "1.0", "-", "--1", "\n1", "\t1"):
            self.refuses(["connectID", "0 to 4"], *self.changed("connectID=" + text))

    def test_too_long(self):
        self.encodes(b'AT+QIDNSGIP=1,"' + b"a" * 150 + b'"\r', "QIDNSGIP", "contextID=1",
                     "hostname=" + "a" * 150)
        self.refuses(["hostname", "150"], "QIDNSGIP", "contextID=1", "hostname=" + "a" * 151)
        self.refuses(["hostname", "150"], "QIDNSGIP", "contextID=1", "hostname=")
        self.refuses(["pridnsaddr"], "QIDNSCFG.set", "contextID=1", "pridnsaddr=" + "1." * 20)
        self.refuses(["data"], "QISEND.inline", "connectID=0", "send_length=1", "data=")

    def test_unsafe(self):
        for unsafe in ('a"b', "a\rb", "a\nb", "a\x1ab", "a\x1bb", "a;b", "a\x7fb", "aäb", "a b",
                       'a","b', 'a"\r\nAT+QICLOSE=0'):
            self.refuses(["host"], *self.changed("host=" + unsafe))
        for unsafe in ('a"b', "a\rb", "a\nb", "a\x1ab", "a\x1bb", "a;b", "a\x7fb", '{"a":1}'):
            self.refuses(["data"], "QISEND.inline", "connectID=0", f"send_length={len(unsafe)}",
                         "data=" + unsafe)

    def test_length_and_data(self):
        self.refuses(["send_length"], "QISEND.inline", "connectID=0", "send_length=4", "data=hello")
        self.refuses(["send_length"], "QISENDEX", "connectID=0", "send_length=4",
                     "hex_string=0102")
        self.refuses(["hex_string"], "QISENDEX", "connectID=0", "send_length=2", "hex_string=010")
        self.refuses(["hex_string"], "QISENDEX", "connectID=0", "send_length=2", "hex_string=010g")

    def test_usage(self):
        self.refuses(["NOSUCH", "QIOPEN"], "NOSUCH", status=USAGE)
        self.refuses(["nosuch", "QIRD.set"], "QIRD.nosuch", status=USAGE)
        self.refuses(["speed", "connectID"], "QIRD", "connectID=0", "read_length=1", "speed=1",
                     status=USAGE)
        self.refuses(["connectID=1"], "QICLOSE", "connectID=0", "connectID=1", status=USAGE)
        self.refuses(["view_mode"], "--set", "view_mode=7", "QICLOSE", "connectID=0", status=USAGE)
        self.refuses(["encode"], status=USAGE)
        self.refuses(["--bogus"], "--bogus", status=USAGE)


class Program(unittest.TestCase):
    def test_help(self):
        for arguments in (["--help"], ["decode", "--help"], ["encode", "--help"]):
            result = run(*arguments)
            self.assertEqual(result.returncode, DONE)
            self.assertIn(b"usage: bc26", result.stdout)
            self.assertEqual(result.stderr, b"")

    def test_help_ends_with_the_exit_status(self):
        for command in ("decode", "encode", "state", "demo"):
            last = run(command, "--help").stdout.split(b"\n\n")[-1]
            self.assertTrue(last.startswith(b"Exit status: 0 "), last)

    def test_version(self):
        result = run("--version")
        self.assertEqual(result.returncode, DONE)
        self.assertRegex(result.stdout, rb"^bc26 \d+\.\d+\.\d+\n$")

    def test_usage(self):
        for arguments in ([], ["nosuch"], ["--bogus"]):
            result = run(*arguments)
            self.assertEqual(result.returncode, USAGE)
            self.assertEqual(result.stdout, b"")
            self.assertNotEqual(result.stderr, b"")

    def test_options_with_an_equals_sign(self):
        for arguments, text in [
                (["--port=/nowhere/at/all", "--baud=9600", "state"], b"/nowhere/at/all: no such"),
                (["--port", "/nowhere/a=b", "state"], b"/nowhere/a=b: no such"),
                (["--port=", "state"], b"name is empty"),
                (["--port=x", "--baud=fast", "state"], b"--baud takes bit/s"),
                (["--portal=x", "state"], b"no option '--portal=x'"),
                (["--trace=x", "state"], b"no option '--trace=x'")]:
            with self.subTest(arguments=arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (USAGE, b""))
                self.assertIn(text, result.stderr)

    def test_the_port_behind_the_command(self):
        for arguments in (["state", "--port", "X"], ["ping", "a", "--port=X"]):
            result = run(*arguments)
            self.assertEqual(result.returncode, USAGE)
            self.assertIn(f"{arguments[0]} takes --port before its name: bc26 --port "
                          f"PATH|HOST:PORT {arguments[0]}".encode(), result.stderr)

    def test_what_is_encoded_is_decoded_as_its_echo(self):
        command = run("encode", *Encode.OPEN).stdout
        self.assertEqual(
            json.loads(run("decode", data=command).stdout),
            {"event": "echo", "text": command.decode().rstrip("\r"), "command": "QIOPEN",
             "form": "set"})


if __name__ == "__main__":
    unittest.main()
