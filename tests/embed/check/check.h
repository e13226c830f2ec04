/* As much of Check as the tests in C use, where a machine has no Check: one process, and the
 * first assertion that fails ends it. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*run)(int i);
} TTest;

#define START_TEST(test)                                  \
    static void test##_run(int _i);                       \
    static const TTest test##_test = {#test, test##_run}; \
    static const TTest *test = &test##_test;              \
    static void test##_run(int _i __attribute__((unused)))
#define END_TEST

#define ck_abort_msg(...)                            \
    do {                                             \
        printf("%s:%d: ", __FILE__, __LINE__);       \
        printf(__VA_ARGS__);                         \
        printf("\n");                                \
        exit(1);                                     \
    } while (0)
#define ck_assert_msg(is, ...)         \
    do {                               \
        if (!(is)) {                   \
            ck_abort_msg(__VA_ARGS__); \
        }                              \
    } while (0)
#define ck_assert(is) ck_assert_msg(is, "%s", #is)

#define CK_COMPARE(type, format, a, op, b)                                                \
    do {                                                                                  \
        type a_ = (a);                                                                    \
        type b_ = (b);                                                                    \
        ck_assert_msg(a_ op b_, "%s is %" format ", not " #op " %" format, #a, a_, b_); \
    } while (0)
#define ck_assert_int_eq(a, b) CK_COMPARE(intmax_t, PRIdMAX, a, ==, b)
#define ck_assert_int_ne(a, b) CK_COMPARE(intmax_t, PRIdMAX, a, !=, b)
#define ck_assert_int_ge(a, b) CK_COMPARE(intmax_t, PRIdMAX, a, >=, b)
#define ck_assert_int_gt(a, b) CK_COMPARE(intmax_t, PRIdMAX, a, >, b)
#define ck_assert_int_lt(a, b) CK_COMPARE(intmax_t, PRIdMAX, a, <, b)
#define ck_assert_uint_eq(a, b) CK_COMPARE(uintmax_t, PRIuMAX, a, ==, b)
#define ck_assert_uint_ge(a, b) CK_COMPARE(uintmax_t, PRIuMAX, a, >=, b)
#define ck_assert_uint_gt(a, b) CK_COMPARE(uintmax_t, PRIuMAX, a, >, b)
#define ck_assert_uint_le(a, b) CK_COMPARE(uintmax_t, PRIuMAX, a, <=, b)
#define ck_assert_uint_lt(a, b) CK_COMPARE(uintmax_t, PRIuMAX, a, <, b)
#define ck_assert_ptr_eq(a, b) ck_assert_msg((a) == (b), "%s isn't %s", #a, #b)
#define ck_assert_ptr_ne(a, b) ck_assert_msg((a) != (b), "%s is %s", #a, #b)
#define ck_assert_ptr_null(a) ck_assert_ptr_eq(a, NULL)
#define ck_assert_ptr_nonnull(a) ck_assert_ptr_ne(a, NULL)
#define ck_assert_str_eq(a, b) ck_assert_msg(strcmp(a, b) == 0, "%s is '%s', not '%s'", #a, a, b)
#define ck_assert_mem_eq(a, b, n) ck_assert_msg(memcmp(a, b, n) == 0, "%s isn't %s", #a, #b)

/* Tests run as they are added. */
typedef struct {
    void (*before)(void);
} TCase;
typedef struct {
    int tests;
} Suite, SRunner;

#define suite_create(name) ((void)(name), (Suite *)calloc(1, sizeof(Suite)))
#define tcase_create(name) ((void)(name), (TCase *)calloc(1, sizeof(TCase)))
#define tcase_set_timeout(tcase, seconds) ((void)(tcase))
#define tcase_add_checked_fixture(tcase, setup, teardown) ((tcase)->before = (setup))
#define tcase_add_test(tcase, test) tcase_add_loop_test(tcase, test, 0, 1)
#define suite_add_tcase(suite, tcase) ((void)(suite), (void)(tcase))
#define CK_NOFORK 0
#define CK_NORMAL 0
#define CK_ENV 0
#define srunner_create(suite) (suite)
#define srunner_set_fork_status(runner, status) ((void)(runner))
#define srunner_run_all(runner, mode) ((void)(runner), (void)puts("all passed"))
#define srunner_ntests_failed(runner) 0
#define srunner_free(runner) free(runner)

static inline void tcase_add_loop_test(TCase *tcase, const TTest *test, int first, int end)
{
    printf("%s\n", test->name);
    for (int i = first; i < end; i++) {
        if (tcase->before != NULL) {
            tcase->before();
        }
        test->run(i);
    }
}

#endif
