/* Any bytes from a module: each is accounted for, and every line is what it says. */
#include "account.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {4097, 64, 65, 80, 128, 300, 1024};
    struct input in = {data, size < INPUT_MAX ? size : INPUT_MAX};
    uint8_t settings[SETTINGS_MAX];
    static struct account a;
    choose_settings(&in, settings, true);
    account_begin(&a, settings, windows[choose(&in, sizeof windows / sizeof *windows)]);
    at_stream_expect_prompt(&a.stream, choose(&in, 2) == 0);
    bool learn = choose(&in, 2) == 0;
    at_stream_learn(&a.stream, learn);
    a.direct = choose(&in, 2) != 0;
    switch (choose(&in, 3)) {
    case 1:
        a.echo = 1 + choose(&in, 64);
        break;
    case 2:
        a.until = 26;
        break;
    default:
        break;
    }
    size_t chunk = choose(&in, 256);
    account_for(&a, in.text, in.len, chunk);
    claim(learn || memcmp(a.settings, settings, sizeof settings) == 0, "settings changed");
    return 0;
}
