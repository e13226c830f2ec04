/* What is shown of a captured conversation, both directions, however its bytes were
 * cut into pieces. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bc26_module.h"
#include "events.h"
#include "trace.h"

static const struct tool test_tool = {.name = "test",
                                      .version = "0",
                                      .module = &bc26,
                                      .grammar = &bc26_grammar,
                                      .manual = &bc26_manual};

/* `-` sent, `+` received. */
struct piece {
    char from;
    const char *bytes;
    size_t len;
};

#define SENT(text) {'-', text, sizeof text - 1u}
#define CAME(text) {'+', text, sizeof text - 1u}

enum { PIECES = 32 };

struct conversation {
    struct piece pieces[PIECES];
    const char *text; /* decoded */
    const char *json; /* without times and directions */
};

/* Views ------------------------------------------------------------------------------- */

static struct trace trace;
static struct traffic traffic;
static struct events events;

enum view { TEXT, JSON };

static void begin(FILE *out, unsigned style)
{
    trace_init(&trace, &test_tool, out, style);
    events_init(&events, &test_tool, out, false);
    traffic_init(&traffic, &test_tool, events_view, &events);
}

static void feed(enum view view, const struct piece *piece, size_t chunk)
{
    struct traffic *t = view == TEXT ? &trace.traffic : &traffic;
    for (size_t at = 0; at < piece->len; at += chunk) {
        size_t n = piece->len - at < chunk ? piece->len - at : chunk;
        uint8_t *copy = malloc(n); /* of its own, so that a sanitizer sees a byte too far */
        memcpy(copy, piece->bytes + at, n);
        (piece->from == '-' ? traffic_sent : traffic_received)(t, copy, n);
        free(copy);
    }
}

/* What is shown; to be freed. */
static char *show(enum view view, const struct conversation *c, size_t chunk, unsigned style)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    ck_assert_ptr_nonnull(out);
    begin(out, style);
    for (size_t i = 0; i < PIECES && c->pieces[i].bytes != NULL; i++) {
        feed(view, &c->pieces[i], chunk);
    }
    traffic_finish(view == TEXT ? &trace.traffic : &traffic);
    fclose(out);
    return text;
}

static void check(const struct conversation *c)
{
    static const size_t chunks[] = {1, 2, 3, 7, 64, SIZE_MAX / 2u};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        char *text = show(TEXT, c, chunks[i], TRACE_DECODED);
        char *json = show(JSON, c, chunks[i], 0);
        ck_assert_msg(strcmp(text, c->text) == 0, "in pieces of %zu:\n%s", chunks[i], text);
        ck_assert_msg(strcmp(json, c->json) == 0, "in pieces of %zu:\n%s", chunks[i], json);
        free(text);
        free(json);
    }
}

/* Conversations ------------------------------------------------------------------------- */

START_TEST(test_fields_and_their_meaning)
{
    static const struct conversation c = {
        {SENT("AT+QIOPEN=1,0,\"TCP\",\"a.b\",80\r"), CAME("\r\nOK\r\n\r\n+QIOPEN: 0,566\r\n"),
         SENT("AT+QISTATE?\r\n"),
         CAME("AT+QISTATE?\r\r\nOK\r\n\r\n+CME ERROR: 3\r\n+CEREG: 5\r\n")},
        "    -> AT+QIOPEN=1,0,\"TCP\",\"a.b\",80    Open a socket service: contextID=1 connectID=0 "
        "service_type=\"TCP\" (TCP client) host=\"a.b\" remote_port=80\n"
        "    <- OK\n"
        "    <- +QIOPEN: 0,566    connectID=0 err=566 (Socket connection failed)\n"
        "    -> AT+QISTATE?    Every socket\n"
        "    <- AT+QISTATE?\n"
        "    <- OK\n"
        "    <- +CME ERROR: 3    code=3 (operation not allowed)\n"
        "    <- +CEREG: 5\n",
        "{\"event\":\"command\",\"text\":\"AT+QIOPEN=1,0,\\\"TCP\\\",\\\"a.b\\\",80\","
        "\"command\":\"QIOPEN\",\"form\":\"set\",\"fields\":{\"contextID\":1,\"connectID\":0,"
        "\"service_type\":\"TCP\",\"host\":\"a.b\",\"remote_port\":80}}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"urc\",\"name\":\"QIOPEN\",\"fields\":{\"connectID\":0,\"err\":566}}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISTATE?\",\"command\":\"QISTATE\",\"form\":\"read\","
        "\"fields\":{}}\n"
        "{\"event\":\"echo\",\"text\":\"AT+QISTATE?\",\"command\":\"QISTATE\",\"form\":\"read\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"final\",\"result\":\"+CME ERROR\",\"code\":3}\n"
        "{\"event\":\"unknown\",\"text\":\"+CEREG: 5\"}\n"};
    check(&c);
}
END_TEST

/* Counted data may hold what looks like a command, an answer or an end. */
START_TEST(test_data_of_fixed_length)
{
    static const struct conversation c = {
        {SENT("AT+QISEND=0,9\r"), CAME("\r\n> "), SENT("AT\rOK\r"), CAME("+CEREG: 5\r\n"),
         SENT("\n\x1a\x1b"), CAME("\r\nOK\r\n\r\nSEND OK\r\n"), SENT("AT\r")},
        "    -> AT+QISEND=0,9    Send data of a given length: connectID=0 send_length=9 bytes\n"
        "    <- >\n"
        "    <- +CEREG: 5\n"
        "    -> | 9 bytes: AT\\rOK\\r\\n<Ctrl-Z><Esc>\n"
        "    <- OK\n"
        "    <- SEND OK\n"
        "    -> AT    Attention; answers OK when the module listens\n",
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,9\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":9}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"unknown\",\"text\":\"+CEREG: 5\"}\n"
        "{\"event\":\"data\",\"payload\":\"41540d4f4b0d0a1a1b\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"final\",\"result\":\"SEND OK\"}\n"
        "{\"event\":\"command\",\"text\":\"AT\",\"command\":\"AT\",\"form\":\"execute\","
        "\"fields\":{}}\n"};
    check(&c);
}
END_TEST

/* The answer to the data was lost: what comes next is a command all the same. */
START_TEST(test_data_whose_answer_is_lost)
{
    static const struct conversation c = {
        {SENT("AT+QISEND=0,2\r"), CAME("\r\n>"), SENT("hi"), SENT("AT+QISEND=1\r"),
         CAME("\r\n> "), SENT("x\x1a"), SENT("AT+QIRD=0,5\r"),
         CAME("\r\n+QIRD: 5\r\n\r\nOK\r\r\n\r\nOK\r\n")},
        "    -> AT+QISEND=0,2    Send data of a given length: connectID=0 send_length=2 bytes\n"
        "    <- >\n"
        "    -> | 2 bytes: hi\n"
        "    -> AT+QISEND=1    Send data of unknown length, ended by Ctrl-Z: connectID=1\n"
        "    <- >\n"
        "    -> | 2 bytes: x<Ctrl-Z>\n"
        "    -> AT+QIRD=0,5    Read received data: connectID=0 read_length=5 bytes\n"
        "    <- +QIRD: 5    actual_read_length=5 bytes\n"
        "    <- | 5 bytes: \\r\\nOK\\r\n"
        "    <- OK\n",
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,2\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":2}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"data\",\"payload\":\"6869\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISEND=1\",\"command\":\"QISEND\","
        "\"form\":\"stream\",\"fields\":{\"connectID\":1}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"data\",\"payload\":\"781a\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QIRD=0,5\",\"command\":\"QIRD\",\"form\":\"set\","
        "\"fields\":{\"connectID\":0,\"read_length\":5}}\n"
        "{\"event\":\"response\",\"name\":\"QIRD\",\"fields\":{\"actual_read_length\":5},"
        "\"payload\":\"0d0a4f4b0d\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"};
    check(&c);
}
END_TEST

/* A refusal, a restart or an Esc ends data early; a result of another command doesn't. */
START_TEST(test_data_that_end_early)
{
    static const struct conversation c = {
        {SENT("AT+QISEND=0,9\r"), CAME("\r\n> "), SENT("ab"), CAME("\r\nCLOSE OK\r\n"), SENT("c"),
         CAME("\r\nERROR\r\n"), SENT("AT+QISEND=0\r"), CAME("\r\n> "), SENT("d\x1b"),
         SENT("AT+QISEND=0,9\r"), CAME("\r\n> "), SENT("e"), CAME("\r\nRDY\r\n"), SENT("AT\r")},
        "    -> AT+QISEND=0,9    Send data of a given length: connectID=0 send_length=9 bytes\n"
        "    <- >\n"
        "    <- CLOSE OK\n"
        "    -> | 3 bytes: abc\n"
        "    <- ERROR\n"
        "    -> AT+QISEND=0    Send data of unknown length, ended by Ctrl-Z: connectID=0\n"
        "    <- >\n"
        "    -> | 2 bytes: d<Esc>\n"
        "    -> AT+QISEND=0,9    Send data of a given length: connectID=0 send_length=9 bytes\n"
        "    <- >\n"
        "    -> | 1 byte: e\n"
        "    <- RDY\n"
        "    -> AT    Attention; answers OK when the module listens\n",
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,9\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":9}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"final\",\"result\":\"CLOSE OK\"}\n"
        "{\"event\":\"data\",\"payload\":\"616263\"}\n"
        "{\"event\":\"final\",\"result\":\"ERROR\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0\",\"command\":\"QISEND\","
        "\"form\":\"stream\",\"fields\":{\"connectID\":0}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"data\",\"payload\":\"641b\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,9\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":9}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"data\",\"payload\":\"65\"}\n"
        "{\"event\":\"unknown\",\"text\":\"RDY\"}\n"
        "{\"event\":\"command\",\"text\":\"AT\",\"command\":\"AT\",\"form\":\"execute\","
        "\"fields\":{}}\n"};
    check(&c);
}
END_TEST

/* A host that doesn't wait: for the prompt, or, where the module echoes, for answers. */
START_TEST(test_host_that_does_not_wait)
{
    static const struct conversation c = {
        {SENT("AT+QISEND=0,3\rabcAT\r"), CAME("\r\n> \r\nOK\r\n\r\nSEND OK\r\n")},
        "    -> AT+QISEND=0,3    Send data of a given length: connectID=0 send_length=3 bytes\n"
        "    -> abcAT\n"
        "    <- >\n"
        "    <- OK\n"
        "    <- SEND OK\n",
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,3\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":3}}\n"
        "{\"event\":\"unknown\",\"text\":\"abcAT\"}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"final\",\"result\":\"SEND OK\"}\n"};
    static const struct conversation begun = {
        {SENT("AT+QISEND=0,3\rabcA"), CAME("\r\n> "), SENT("T\r"), CAME("\r\nOK\r\n")},
        "    -> AT+QISEND=0,3    Send data of a given length: connectID=0 send_length=3 bytes\n"
        "    <- >\n"
        "    -> | 3 bytes: abc\n"
        "    -> AT    Attention; answers OK when the module listens\n"
        "    <- OK\n",
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,3\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":3}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"data\",\"payload\":\"616263\"}\n"
        "{\"event\":\"command\",\"text\":\"AT\",\"command\":\"AT\",\"form\":\"execute\","
        "\"fields\":{}}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"};
    static const struct conversation echoed = {
        {SENT("AT+QICFG=\"viewmode\",1\rAT+QIRD=0,4\r"),
         CAME("AT+QICFG=\"viewmode\",1\r\r\nOK\r\n"),
         CAME("AT+QIRD=0,4\r\r\n+QIRD: 4,\r\n>\n\r\n\r\nOK\r\n")},
        "    -> AT+QICFG=\"viewmode\",1    Ask for or set what stands between a data header and "
        "its data: view_mode=1 (a comma)\n"
        "    -> AT+QIRD=0,4    Read received data: connectID=0 read_length=4 bytes\n"
        "    <- AT+QICFG=\"viewmode\",1\n"
        "    <- OK\n"
        "    <- AT+QIRD=0,4\n"
        "    <- +QIRD: 4    actual_read_length=4 bytes\n"
        "    <- | 4 bytes: \\r\\n>\\n\n"
        "    <- OK\n",
        "{\"event\":\"command\",\"text\":\"AT+QICFG=\\\"viewmode\\\",1\",\"command\":\"QICFG\","
        "\"form\":\"viewmode\",\"fields\":{\"view_mode\":1}}\n"
        "{\"event\":\"command\",\"text\":\"AT+QIRD=0,4\",\"command\":\"QIRD\",\"form\":\"set\","
        "\"fields\":{\"connectID\":0,\"read_length\":4}}\n"
        "{\"event\":\"echo\",\"text\":\"AT+QICFG=\\\"viewmode\\\",1\",\"command\":\"QICFG\","
        "\"form\":\"viewmode\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"echo\",\"text\":\"AT+QIRD=0,4\",\"command\":\"QIRD\",\"form\":\"set\"}\n"
        "{\"event\":\"response\",\"name\":\"QIRD\",\"fields\":{\"actual_read_length\":4},"
        "\"payload\":\"0d0a3e0a\"}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"};
    check(&c);
    check(&begun);
    check(&echoed);
}
END_TEST

/* A host that leaves data mode, one that speaks of something else, and one too fast. */
START_TEST(test_what_is_no_command)
{
    static const struct conversation c = {
        {SENT("\x1b\x1b" "AT\r"), SENT("hello\r\n\r\nCAT\r"), SENT("AT+QISEND=9\rAT+CSQ\r"),
         SENT("AT+QIC"), CAME("\r\n+QIR")},
        "    -> <Esc><Esc>\n"
        "    -> AT    Attention; answers OK when the module listens\n"
        "    -> hello\n"
        "    -> CAT\n"
        "    -> AT+QISEND=9    fits no form of QISEND\n"
        "    -> AT+CSQ\n"
        "    -> AT+QIC    incomplete\n"
        "    <- +QIR    incomplete\n",
        "{\"event\":\"unknown\",\"text\":\"\\u001b\\u001b\"}\n"
        "{\"event\":\"command\",\"text\":\"AT\",\"command\":\"AT\",\"form\":\"execute\","
        "\"fields\":{}}\n"
        "{\"event\":\"unknown\",\"text\":\"hello\"}\n"
        "{\"event\":\"unknown\",\"text\":\"CAT\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISEND=9\",\"command\":\"QISEND\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+CSQ\"}\n"
        "{\"event\":\"incomplete\",\"text\":\"AT+QIC\"}\n"
        "{\"event\":\"incomplete\",\"text\":\"+QIR\"}\n"};
    check(&c);
}
END_TEST

/* Payloads of both directions at once, and each of them without its end. */
START_TEST(test_payloads_that_cross)
{
    static const struct conversation c = {
        {SENT("AT+QICFG=\"dataformat\",0,1\r"), CAME("\r\nOK\r\n"), SENT("AT+QISEND=0,4\r"),
         CAME("\r\n> \r\n+QIURC: \"recv\",0\r\n"), CAME("\r\n+QIRD: 3\r\n41"), SENT("wx"),
         CAME("424"), SENT("y"), CAME("3\r\n+QIRD: 2\r\n4")},
        "    -> AT+QICFG=\"dataformat\",0,1    Ask for or set the formats of data: "
        "send_data_format=0 (the bytes themselves) recv_data_format=1 "
        "(two hexadecimal digits a byte)\n"
        "    <- OK\n"
        "    -> AT+QISEND=0,4    Send data of a given length: connectID=0 send_length=4 bytes\n"
        "    <- >\n"
        "    <- +QIURC: \"recv\",0    connectID=0\n"
        "    <- +QIRD: 3    actual_read_length=3 bytes\n"
        "    <- | 6 bytes: 414243    3 bytes: ABC\n"
        "    <- +QIRD: 2    actual_read_length=2 bytes\n"
        "    -> | 3 bytes: wxy    incomplete: 1 missing\n"
        "    <- | 1 byte: 4    incomplete: 3 missing\n",
        "{\"event\":\"command\",\"text\":\"AT+QICFG=\\\"dataformat\\\",0,1\",\"command\":\"QICFG\","
        "\"form\":\"dataformat\",\"fields\":{\"send_data_format\":0,\"recv_data_format\":1}}\n"
        "{\"event\":\"final\",\"result\":\"OK\"}\n"
        "{\"event\":\"command\",\"text\":\"AT+QISEND=0,4\",\"command\":\"QISEND\","
        "\"form\":\"fixed\",\"fields\":{\"connectID\":0,\"send_length\":4}}\n"
        "{\"event\":\"prompt\"}\n"
        "{\"event\":\"urc\",\"name\":\"recv\",\"fields\":{\"connectID\":0}}\n"
        "{\"event\":\"response\",\"name\":\"QIRD\",\"fields\":{\"actual_read_length\":3},"
        "\"payload\":\"414243\"}\n"
        "{\"event\":\"incomplete\",\"payload\":\"777879\",\"missing\":1}\n"
        "{\"event\":\"incomplete\",\"name\":\"QIRD\",\"fields\":{\"actual_read_length\":2},"
        "\"payload\":\"\",\"missing\":2}\n"};
    check(&c);
}
END_TEST

START_TEST(test_overlong_lines)
{
    enum { LONG = 5000 };
    static char line[LONG + 3];
    memset(line, 'A', LONG);
    memcpy(line + LONG, "\r\n", 3);
    struct conversation c = {
        {{'-', line, LONG + 1}, {'+', line, LONG + 2}, SENT("AT\r")},
        "    -> a line of 5000 bytes\n"
        "    <- a line of 5000 bytes\n"
        "    -> AT    Attention; answers OK when the module listens\n",
        "{\"event\":\"overlong\",\"length\":5000}\n"
        "{\"event\":\"overlong\",\"length\":5000}\n"
        "{\"event\":\"command\",\"text\":\"AT\",\"command\":\"AT\",\"form\":\"execute\","
        "\"fields\":{}}\n"};
    check(&c);
}
END_TEST

/* More data than are held come in several events, and none is lost. */
START_TEST(test_data_without_end)
{
    static const struct conversation opening = {{SENT("AT+QISEND=0\r"), CAME("\r\n> ")}, "", ""};
    size_t pieces = 0;
    begin(NULL, 0);
    char *text = NULL;
    size_t len = 0;
    events.out = open_memstream(&text, &len);
    feed(JSON, &opening.pieces[0], SIZE_MAX / 2u);
    feed(JSON, &opening.pieces[1], SIZE_MAX / 2u);
    for (size_t i = 0; i < TRAFFIC_DATA_MAX + 1u; i++) {
        traffic_sent(&traffic, (const uint8_t *)"z", 1);
    }
    traffic_sent(&traffic, (const uint8_t *)"\x1a", 1);
    fclose(events.out);
    size_t digits = 0;
    for (const char *at = text; (at = strstr(at, "\"payload\":\"")) != NULL; pieces++) {
        at += strlen("\"payload\":\"");
        digits += strspn(at, "0123456789abcdef");
    }
    ck_assert_uint_eq(pieces, 2);
    ck_assert_uint_eq(digits, 2u * (TRAFFIC_DATA_MAX + 2u));
    free(text);
}
END_TEST

/* Pieces of conversations in any order: whatever they mean, it's the same however they are cut. */
START_TEST(test_any_conversation)
{
    static const struct piece parts[] = {
        SENT("AT\r"), SENT("AT+QISEND=0,4\r"), SENT("AT+QISEND=1\r"), SENT("ab\r\n"),
        SENT("\x1a"), SENT("\x1b"), SENT("AT+QICFG=\"viewmode\",1\r\n"), SENT("\n\0x"),
        SENT("AT+QICFG=\"dataformat\",1,1\r"), SENT("AT+QICFG=\"echomode\",1\r"), SENT("\r"),
        SENT("AT+QIOPEN=1,0,\"TCP\",\"a\",1,0,1\r"), CAME("\r\n> "), CAME("\r\nOK\r\n"),
        CAME("\r\nSEND OK\r\n"), CAME("\r\nERROR\r\n"), CAME("\r\nRDY\r\n"), CAME("ab\r\n"),
        CAME("+QIURC: \"recv\",0,6,"), CAME("+QIURC: \"recv\",0,6\r\n"), CAME("+QIRD: 3\r\n"),
        CAME("\0\xff>"), CAME("AT+QISEND=0,4\r"), CAME("AT\r"), CAME("\r\nCLOSE OK\r\n"),
        CAME("\x1a")};
    static const size_t chunks[] = {1, 3, SIZE_MAX / 2u};
    uint32_t seed = 1;
    for (unsigned n = 0; n < 3000; n++) {
        struct conversation c = {{{0}}, "", ""};
        for (size_t i = 0; i < PIECES; i++) {
            seed = seed * 1664525u + 1013904223u;
            c.pieces[i] = parts[(seed >> 16) % (sizeof parts / sizeof parts[0])];
        }
        for (int view = TEXT; view <= JSON; view++) {
            char *shown[3];
            for (size_t i = 0; i < 3; i++) {
                shown[i] = show((enum view)view, &c, chunks[i], TRACE_DECODED);
            }
            ck_assert_str_eq(shown[0], shown[1]);
            ck_assert_str_eq(shown[0], shown[2]);
            for (size_t i = 0; i < 3; i++) {
                free(shown[i]);
            }
        }
    }
}
END_TEST

/* Raw, as the demo prints it; and in colours that differ by what a line is. */
START_TEST(test_styles)
{
    static const struct conversation c = {
        {SENT("AT+QISEND=0,2\r"), CAME("\r\n> "), SENT("hi"),
         CAME("\r\nERROR\r\n\r\n+QIURC: \"closed\",0\r\n\r\nOK\r\nAT\r\r\n")},
        "", ""};
    char *raw = show(TEXT, &c, 1, 0);
    char *coloured = show(TEXT, &c, 1, TRACE_COLOURS);
    ck_assert_str_eq(raw, "    -> AT+QISEND=0,2\n"
                          "    <- >\n"
                          "     | 2 bytes: hi\n"
                          "    <- ERROR\n"
                          "    <- +QIURC: \"closed\",0\n"
                          "    <- OK\n"
                          "    <- AT\n");
    ck_assert_str_eq(coloured, "    \033[36m-> AT+QISEND=0,2\033[0m\n"
                               "    \033[32m<- >\033[0m\n"
                               "    \033[33m | 2 bytes: hi\033[0m\n"
                               "    \033[1;31m<- ERROR\033[0m\n"
                               "    \033[35m<- +QIURC: \"closed\",0\033[0m\n"
                               "    \033[32m<- OK\033[0m\n"
                               "    \033[2m<- AT\033[0m\n");
    free(raw);
    free(coloured);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_fields_and_their_meaning);
    tcase_add_test(all, test_data_of_fixed_length);
    tcase_add_test(all, test_data_whose_answer_is_lost);
    tcase_add_test(all, test_data_that_end_early);
    tcase_add_test(all, test_host_that_does_not_wait);
    tcase_add_test(all, test_what_is_no_command);
    tcase_add_test(all, test_payloads_that_cross);
    tcase_add_test(all, test_overlong_lines);
    tcase_add_test(all, test_data_without_end);
    tcase_add_test(all, test_any_conversation);
    tcase_add_test(all, test_styles);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
