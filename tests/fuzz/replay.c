/* Runs a fuzz target over stored inputs, without a fuzzer: files, folders of them, and lists
 * (*.txt) with an input a line in the notation of tests/transcripts. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "unit/recorder.h"

static unsigned inputs;

/* What is being replayed, should it end in a finding. */
static const char *current = "";
static unsigned current_line;

static void on_abort(int number)
{
    (void)number;
    fprintf(stderr, "%s: input %u\n", current, current_line);
}

static bool replay(const char *bytes, size_t n)
{
    uint8_t *copy = exactly(bytes, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    inputs++;
    return true;
}

static bool replay_list(const char *name, const struct text *list)
{
    unsigned number = 0;
    for (char *line = strtok(list->bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        struct text input = {NULL, 0, 0};
        const char *wrong = text_unescaped(&input, line);
        number++;
        if (wrong != NULL) {
            fprintf(stderr, "%s: input %u: %s\n", name, number, wrong);
            return false;
        }
        current_line = number;
        replay(input.bytes, input.len);
        text_clear(&input);
    }
    return true;
}

static bool replay_file(const char *name)
{
    char piece[4096];
    struct text all = {NULL, 0, 0};
    const char *dot = strrchr(name, '.');
    FILE *in = fopen(name, "rb");
    size_t n;
    if (in == NULL) {
        perror(name);
        return false;
    }
    while ((n = fread(piece, 1, sizeof piece, in)) > 0) {
        text_add(&all, piece, n);
    }
    fclose(in);
    current = name;
    current_line = 1;
    bool good = dot != NULL && strcmp(dot, ".txt") == 0 && all.len > 0 ? replay_list(name, &all)
                                                                      : replay(all.bytes, all.len);
    text_clear(&all);
    return good;
}

static bool replay_path(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        return replay_file(path);
    }
    bool good = true;
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        good = (names[i]->d_name[0] == '.' || replay_file(name)) && good;
        free(names[i]);
    }
    free(names);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    signal(SIGABRT, on_abort);
    for (int i = 1; i < argc; i++) {
        good = replay_path(argv[i]) && good;
    }
    printf("%u inputs\n", inputs);
    return good && inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
