/**
 * @file covers.h
 * What a test covers of the spec, recorded by the test itself when it runs with
 * AT_COVERAGE_DIR set; `atspec coverage --tests` reads it. Harmless when unset.
 *
 *     covers("form", "QIOPEN.set", "opens a socket");
 *
 * kind     section | form | line | values | setting | example | session
 * name     as the spec names it: "2.1.1", "QIOPEN.set", "QIRD", "error", "view_mode"
 * test     a few words for the table
 *
 * A program that tests another module than the one whose table is made defines
 * AT_COVERS_NOTHING.
 */
#ifndef COVERS_H
#define COVERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define covers(kind, name, test) covers_in(__FILE__, kind, name, test)

/* One file for each source, so that programs which run at once don't mix their lines. */
static inline void covers_in(const char *source, const char *kind, const char *name,
                             const char *test)
{
#ifdef AT_COVERS_NOTHING
    const char *dir = NULL;
#else
    const char *dir = getenv("AT_COVERAGE_DIR");
#endif
    const char *slash = strrchr(source, '/');
    const char *stem = slash != NULL ? slash + 1 : source;
    char path[1024];
    FILE *file;

    if (dir == NULL || *dir == '\0') {
        return;
    }
    snprintf(path, sizeof path, "%s/%.*s", dir, (int)strcspn(stem, "."), stem);
    file = fopen(path, "a");
    if (file == NULL) {
        fprintf(stderr, "covers: can't write to %s\n", path);
        abort(); /* a table with rows missing would be worse */
    }
    fprintf(file, "%s\t%s\t%s\n", kind, name, test);
    fclose(file);
}

#endif
