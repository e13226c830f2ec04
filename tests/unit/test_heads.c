/* The table of heads says of any bytes what the head machine says. */
#include "bc26_tables.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bc26.h"

int bc26_head_by_table(uint16_t *state, const uint8_t **at, const uint8_t *end);

typedef int head_fn(uint16_t *state, const uint8_t **at, const uint8_t *end);

struct outcome {
    int found;
    size_t at;
};

/* In pieces of `step` bytes. */
static struct outcome recognise(head_fn *head, const uint8_t *text, size_t len, size_t step)
{
    uint16_t state = 0;
    struct outcome out = {AT_HEAD_MORE, 0};
    while (out.found == AT_HEAD_MORE && out.at < len) {
        const uint8_t *p = text + out.at;
        const uint8_t *end = len - out.at < step ? text + len : p + step;
        out.found = head(&state, &p, end);
        out.at = (size_t)(p - text);
    }
    return out;
}

static void same(const uint8_t *text, size_t len)
{
    struct outcome machine = recognise(bc26_head, text, len, len);
    for (size_t step = 1; step <= len; step++) {
        struct outcome table = recognise(bc26_head_by_table, text, len, step);
        ck_assert_msg(table.found == machine.found && table.at == machine.at,
                      "%.*s in pieces of %zu: %d at %zu instead of %d at %zu", (int)len,
                      (const char *)text, step, table.found, table.at, machine.found, machine.at);
    }
}

static const char *const others[] = {"\r\n>", ">", "AT+QIRD", "at", "aT", "A", "a\n", "AX", "+QI", "OK\r\r\n",
                                     "OK\rA", "SEND OK \n", "+QIURC:  \"recv\",", "+QIURC:\"recv\",", "\n"};
enum { RECORDS = BC26_RECORDS, OTHERS = sizeof others / sizeof *others, TEXT_MAX = 32 };

/* The beginning of some line, as it is or almost. */
static size_t pick(int i, uint8_t *text)
{
    const char *from = i < RECORDS ? bc26.records[i].head : others[i - RECORDS];
    size_t len = strlen(from);
    ck_assert_uint_le(len + 2, TEXT_MAX);
    memcpy(text, from, len);
    memcpy(text + len, "\r\n", 2);
    return len + 2;
}

START_TEST(known_and_altered)
{
    uint8_t text[TEXT_MAX], altered[TEXT_MAX];
    static const uint8_t bytes[] = {0, 1, ' ', '"', '+', ':', 'A', 'E', 'O', 't', '>', '\r', '\n', 0xff};
    size_t len = pick(_i, text);
    same(text, len);
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            memcpy(altered, text, len);
            altered[i] = bytes[k];
            same(altered, len);
        }
        memcpy(altered, text, i);
        memcpy(altered + i, text + i + 1, len - i - 1);
        same(altered, len - 1);
    }
}
END_TEST

START_TEST(spliced)
{
    uint8_t text[TEXT_MAX], other[TEXT_MAX];
    size_t len = pick(_i, text);
    for (int k = 0; k < RECORDS + OTHERS; k++) {
        size_t n = pick(k, other);
        for (size_t i = 0; i < len && i < n; i++) {
            memcpy(other, text, i);
            same(other, n);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heads");
    TCase *heads = tcase_create("heads");
    tcase_add_loop_test(heads, known_and_altered, 0, RECORDS + OTHERS);
    tcase_add_loop_test(heads, spliced, 0, RECORDS + OTHERS);
    suite_add_tcase(suite, heads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
