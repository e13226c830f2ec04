#include "hostile.h"

#include <string.h>

static const char *const ends[] = { "\r\n", "\r", "\n", "\n\r", "\r\r\n", "\r\n\r\n", "", " " };

static const char *const lines[] = {
    "OK", "ERROR", "+CME ERROR: 50", "+CME ERROR: SIM failure", "SEND OK", "SEND FAIL", "CLOSE OK",
    "CLOSE FAIL", ">", "> ", "RDY", "F1: 0000 0000", "Leaving the BROM", "+QIURC: \"closed\",0",
    "+QIURC: \"closed\",4", "+QIURC: \"recv\",0", "+QIURC: \"recv\",1,1500", "+QIURC: \"recv\",2,5",
    "+QIURC: \"recv\",3,\"buff full\"", "+QIURC: \"recv\",buff full", "+QIURC: \"dnsgip\",0,1,0",
    "+QIURC: \"dnsgip\",\"6.6.6.6\"", "+QIURC: \"dnsgip\",565", "+QIOPEN: 0,0", "+QIOPEN: 1,566",
    "+QIRD: 512", "+QIRD: 0", "+QIRD: 10,2", "+QIRD: 1,", "+QISEND: 1,1,0", "+QPING: 0,4,4,0,1,2,3",
    "+QPING: 565", "+QNTP: 0,\"66/06/06,06:06:06+0\"", "+QNTP: 569", "+QIDNSCFG: 1,6.6.6.6",
    "+QICFG: \"viewmode\",1", "+QICFG: \"dataformat\",1,1", "+QICFG: \"showlength\",1",
    "+QICFG: \"echomode\",1", "+QIGETERROR: 0,operation successful", "+CMEE: 2",
    "Revision: BC26NBR01A06", "+QISTATE: 0,\"TCP\",\"6.6.6.6\",6,6,2,1,1", "+CEREG: 5",
    "AT+QICLOSE=0", "AT+QIGETERROR", "ATE1", "AT", "AT+CFUN=0", "AT+QIOPEN=1,0,\"TCP\",\"6.6.6.6\",6",
    "at+qiclose=1;+qiclose=2", "4F4B0D0A", "0D0A4F4B", "\x1a", "\x1b", "\"", "\",\"", "\\r\\n", "%0d%0a",
    "\\\"", ";", "'", "\xc3\xa9\xe2\x80\xa8", "\xef\xbb\xbf", "\x08\x08\x08", "+++", "\x11\x13", "$(x)",
};

#define PICK(of) (of)[fault_pick(dice, sizeof(of) / sizeof((of)[0]))]

static size_t add(uint8_t *to, size_t len, size_t at, const char *text)
{
    size_t n = strlen(text);

    n = n < len - at ? n : len - at;
    memcpy(to + at, text, n);
    return at + n;
}

size_t hostile_bytes(struct fault_dice *dice, uint8_t *to, size_t len)
{
    size_t at = 0;

    while (at < len) {
        uint32_t kind = fault_pick(dice, 8);
        if (kind < 5) {
            at = add(to, len, at, PICK(ends));
            if (at < len)
                at = add(to, len, at, PICK(lines));
            if (at < len)
                at = add(to, len, at, PICK(ends));
        } else if (kind == 5) {
            to[at++] = 0;
        } else {
            for (uint32_t n = fault_pick(dice, 12) + 1; n > 0 && at < len; n--)
                to[at++] = (uint8_t)fault_pick(dice, 256);
        }
    }
    return len;
}
