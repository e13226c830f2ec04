/* A program over a spec of its user's, one that narrows: speeds were up to 10 in R1. */
#include "dated.h"

#include <stdio.h>
#ifdef WITH_MODULE
#include "dated_module.h"
#endif

int main(void)
{
    char line[DATED_COMMAND_MAX];
    struct dated_go go;
    go.speed = 50;
    int n = dated_go_encode(NULL, &go, line, sizeof line, NULL);
    printf("%.*s\n", n < 0 ? 7 : n - 1, n < 0 ? "refused" : line);
    printf("%u forms\n", (unsigned)dated.nforms);
#ifdef WITH_MODULE
    printf("%u heads\n", (unsigned)dated_grammar.nheads);
#endif
    return 0;
}
