/*
 * The settings that outlive a reboot. With a state file they outlive the
 * program too: a line that says what the file is, then one for each
 * setting, its name and its values.
 */
#include "virtual_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE "bc26 state 1"

enum { STATE_PATH_MAX = 4096 };

void vm_store_defaults(uint8_t settings[BC26_SETTINGS])
{
    for (size_t i = 0; i < bc26.nsettings; i++)
        memset(settings + bc26.settings[i].slot, bc26.settings[i].initial,
               bc26.settings[i].slots);
}

void vm_store_reboot(uint8_t settings[BC26_SETTINGS])
{
    for (size_t i = 0; i < bc26.nsettings; i++)
        if (bc26.settings[i].stored == 0)
            memset(settings + bc26.settings[i].slot, bc26.settings[i].initial,
                   bc26.settings[i].slots);
}

/* ---- reading ------------------------------------------------------------- */

static bool because(struct at_posix_why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool because(struct at_posix_why *why, const char *format, ...)
{
    va_list arguments;

    if (why == NULL)
        return false;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return false;
}

static const struct at_setting *find(const char *name)
{
    for (size_t i = 0; i < bc26.nsettings; i++)
        if (name != NULL && bc26.settings[i].stored != 0 &&
            strcmp(bc26.settings[i].name, name) == 0)
            return &bc26.settings[i];
    return NULL;
}

/* One value, and nothing else; -1 if it isn't one. */
static int value(const char *text, uint8_t max)
{
    char *end;

    if (text == NULL || *text < '0' || *text > '9')
        return -1;
    unsigned long number = strtoul(text, &end, 10);
    return *end == '\0' && number <= max ? (int)number : -1;
}

static bool read_setting(char *line, uint8_t settings[BC26_SETTINGS], const char *where,
                         struct at_posix_why *why)
{
    char *rest = NULL;
    const char *name = strtok_r(line, " ", &rest);
    const struct at_setting *setting = find(name);

    if (setting == NULL)
        return because(why, "%s: '%s' is no setting that is kept", where,
                       name != NULL ? name : "");
    for (uint8_t i = 0; i < setting->slots; i++) {
        int number = value(strtok_r(NULL, " ", &rest), setting->max);
        if (number < 0)
            return because(why, "%s: %s needs %u numbers from 0 to %u", where, setting->name,
                           setting->slots, setting->max);
        settings[setting->slot + i] = (uint8_t)number;
    }
    if (strtok_r(NULL, " ", &rest) != NULL)
        return because(why, "%s: %s has too many numbers", where, setting->name);
    return true;
}

static bool read_all(FILE *file, const char *path, uint8_t settings[BC26_SETTINGS],
                     struct at_posix_why *why)
{
    char line[128], where[300];

    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        (void)snprintf(where, sizeof where, "%s:%u", path, number);
        size_t len = strlen(line);
        if (len == 0 || line[len - 1] != '\n')
            return because(why, "%s: the line doesn't end", where);
        line[len - 1] = '\0';
        if (number == 1 ? strcmp(line, TITLE) != 0 : false)
            return because(why, "%s: not a state file: '" TITLE "' is missing", where);
        if (number > 1 && !read_setting(line, settings, where, why))
            return false;
    }
    if (ferror(file))
        return because(why, "%s: can't be read: %s", path, strerror(errno));
    return ftell(file) != 0 || because(why, "%s: not a state file: it's empty", path);
}

/* What is to take the place of the file: its name, or false if that's too long. */
static bool name_fresh(const char *path, char *fresh, size_t size)
{
    size_t len = (size_t)snprintf(fresh, size, "%s.new", path);

    errno = ENAMETOOLONG;
    return len < size;
}

/* Tries it, for the first setting to be kept may come much later. */
static bool may_save(const char *path, struct at_posix_why *why)
{
    char fresh[STATE_PATH_MAX];
    int fd = -1;

    if (*path == '\0')
        return because(why, "the state file's name is empty");
    if (name_fresh(path, fresh, sizeof fresh))
        fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return because(why, "%s: settings can't be kept there: %s", path, strerror(errno));
    (void)close(fd);
    (void)unlink(fresh);
    return true;
}

bool vm_store_load(struct virtual_module *vm, struct at_posix_why *why)
{
    const char *path = vm->config.state_file;
    FILE *file = path != NULL ? fopen(path, "r") : NULL;

    if (path == NULL)
        return true;
    if (file == NULL && errno != ENOENT)
        return because(why, "%s: can't be opened: %s", path, strerror(errno));
    bool good = file == NULL || read_all(file, path, vm->settings, why);
    if (file != NULL)
        (void)fclose(file);
    return good && may_save(path, why);
}

/* ---- writing ------------------------------------------------------------- */

static bool write_all(FILE *file, const uint8_t settings[BC26_SETTINGS])
{
    (void)fputs(TITLE "\n", file);
    for (size_t i = 0; i < bc26.nsettings; i++) {
        const struct at_setting *setting = &bc26.settings[i];
        if (setting->stored == 0)
            continue;
        (void)fputs(setting->name, file);
        for (uint8_t slot = 0; slot < setting->slots; slot++)
            (void)fprintf(file, " %u", settings[setting->slot + slot]);
        (void)fputc('\n', file);
    }
    return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* A whole new file takes the place of the old one: whoever reads, and
 * whenever the power fails, finds one or the other. */
void vm_store_save(const struct virtual_module *vm)
{
    const char *path = vm->config.state_file;
    char fresh[STATE_PATH_MAX];

    if (path == NULL)
        return;
    FILE *file = name_fresh(path, fresh, sizeof fresh) ? fopen(fresh, "w") : NULL;
    bool good = file != NULL && write_all(file, vm->settings);
    if (file != NULL)
        good = fclose(file) == 0 && good;
    if (!good || rename(fresh, path) != 0)
        vm_say(vm, "%s: the settings can't be kept: %s", path, strerror(errno));
}
