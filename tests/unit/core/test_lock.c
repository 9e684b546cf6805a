/* One writer a folder, whatever becomes of it. */
#include <core/file.h>
#include <core/lock.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/hone-lock-XXXXXX", folder[64];

static int make_root(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s", mkdtemp(root) != NULL ? root : "");
    (void)strcat(folder, "/a/run");
    return folder[0] == '/' ? 0 : -1;
}

static int remove_root(void **state) {
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/** A process that takes the lock, says so, and holds it until it is killed or told to let go. */
static pid_t hold(int *release) {
    int said[2], told[2];
    char byte = 0;

    assert_int_equal(pipe(said), 0);
    assert_int_equal(pipe(told), 0);
    const pid_t child = fork();
    if (child == 0) {
        hn_lock *lock = NULL;
        byte = hn_lock_take(folder, &lock) == HONE_OK ? 'y' : 'n';
        (void)!write(said[1], &byte, 1);
        (void)close(told[1]);
        (void)!read(told[0], &byte, 1);
        hn_lock_release(lock);
        _exit(0);
    }
    assert_int_equal(read(said[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    (void)close(said[0]);
    (void)close(said[1]);
    (void)close(told[0]);
    *release = told[1];
    return child;
}

static void test_one_at_a_time(void **state) {
    hn_lock *lock = NULL;
    char who[48], above[64];
    int release = -1;

    (void)state;
    const pid_t child = hold(&release);
    assert_int_equal(hn_lock_take(folder, &lock), HONE_ERROR_IO);
    assert_null(lock);
    (void)snprintf(who, sizeof who, "process %ld ", (long)child);
    assert_non_null(strstr(hone_message(), who));
    assert_non_null(strstr(hone_message(), folder));
    (void)close(release);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(hn_folder_exists(folder)); /* it had made it, and put nothing there */
    (void)snprintf(above, sizeof above, "%s/a", root);
    assert_false(hn_folder_exists(above)); /* nor above it */
    assert_int_equal(hn_lock_take(folder, &lock), HONE_OK);
    hn_lock_release(lock);
}

static void test_a_dead_holder_holds_nothing(void **state) {
    hn_lock *lock = NULL;
    int release = -1;

    (void)state;
    const pid_t child = hold(&release);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(release);
    assert_true(hn_folder_exists(folder)); /* .lock is still there, and locks nothing */
    assert_int_equal(hn_lock_take(folder, &lock), HONE_OK);
    hn_lock_release(lock);
    assert_true(hn_folder_exists(folder)); /* it was there before */
}

static void test_what_was_written_stays(void **state) {
    char path[128];
    hn_lock *lock = NULL;

    (void)state;
    assert_int_equal(hn_lock_take(folder, &lock), HONE_OK);
    (void)snprintf(path, sizeof path, "%s/metrics", folder);
    assert_int_equal(hn_file_replace(path, "x", 1), HONE_OK);
    hn_lock_release(lock);
    assert_true(hn_file_exists(path));
    (void)snprintf(path, sizeof path, "%s/.lock", folder);
    assert_false(hn_file_exists(path));
    hn_lock_release(NULL);
}

static void test_slashes_at_the_end(void **state) {
    char path[128], above[64];
    hn_lock *lock = NULL;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/b//run//", root);
    (void)snprintf(above, sizeof above, "%s/b", root);
    assert_int_equal(hn_lock_take(path, &lock), HONE_OK);
    assert_true(hn_folder_exists(path));
    hn_lock_release(lock);
    assert_false(hn_folder_exists(above));
    assert_true(hn_folder_exists(root));
}

/** The folder can be made, the file in it can't: a disk that is full at that moment. */
static int no_open(const char *path, int flags, mode_t mode) {
    (void)path, (void)flags, (void)mode;
    errno = ENOSPC;
    return -1;
}

static void test_a_full_disk(void **state) {
    hn_file_calls calls = *hn_files();
    char path[128], above[64];
    hn_lock *lock = NULL;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/c/run", root);
    (void)snprintf(above, sizeof above, "%s/c", root);
    calls.open = no_open;
    hn_files_replace(&calls);
    assert_int_equal(hn_lock_take(path, &lock), HONE_ERROR_IO);
    hn_files_replace(NULL);
    assert_null(lock);
    assert_non_null(strstr(hone_message(), "No space left on device"));
    assert_false(hn_folder_exists(above));
}

static void test_no_folder_can_be_made(void **state) {
    hn_lock *lock = NULL;
    (void)state;
    assert_int_equal(hn_lock_take("/proc/none/run", &lock), HONE_ERROR_NOT_FOUND);
    assert_null(lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_at_a_time),
                                       cmocka_unit_test(test_a_dead_holder_holds_nothing),
                                       cmocka_unit_test(test_what_was_written_stays),
                                       cmocka_unit_test(test_slashes_at_the_end),
                                       cmocka_unit_test(test_a_full_disk),
                                       cmocka_unit_test(test_no_folder_can_be_made)};
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
