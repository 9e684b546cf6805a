/* A program as a judge: lines of JSON to it and from it. */
#include "eval/judge.h"

#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 0, OUTPUT = 1, LONGEST_LINE = 1 << 20 };

typedef struct command {
    char *text;
    double timeout;
    pid_t process; /**< 0: not running */
    int outcome;   /**< of one that ended by itself, as waitpid gives it; 0: it was killed */
    int socket;    /**< its standard input and output */
    hn_bytes held; /**< read, and not yet a whole line */
} command;

/** In a group of its own: what the shell starts ends with it. */
static int spawn(const command *c, int socket, pid_t *process) {
    char shell[] = "sh", option[] = "-c";
    char *arguments[] = {shell, option, c->text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, socket, INPUT);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&actions, socket, OUTPUT);
        if (error == 0)
            error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        if (error == 0)
            error = posix_spawn(process, "/bin/sh", &actions, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static hone_status start(command *c) {
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return hn_fail_errno(errno, "judge command \"%s\": no connection to it", c->text);
    const int error = spawn(c, pair[1], &c->process);
    (void)close(pair[1]);
    if (error != 0) {
        (void)close(pair[0]);
        c->process = 0;
        return hn_fail_errno(error, "judge command \"%s\" could not be started", c->text);
    }
    c->socket = pair[0];
    c->held.length = 0;
    return HONE_OK;
}

/** Whether it ended by itself within so many hundredths of a second. */
static bool ended(command *c, int hundredths) {
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < hundredths; i++) {
        if (waitpid(c->process, &c->outcome, WNOHANG) == c->process)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/** Its input ends; what is still there after the grace is killed, with all that it started. */
static void stop(command *c, int grace) {
    if (c->process == 0)
        return;
    (void)close(c->socket);
    c->outcome = 0;
    if (!ended(c, grace)) {
        (void)kill(-c->process, SIGKILL);
        while (waitpid(c->process, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    c->process = 0;
}

/** Waits for the events until the deadline; false: it passed. */
static bool ready(const command *c, short events, double deadline) {
    for (;;) {
        struct pollfd file = {.fd = c->socket, .events = events};
        const double left = deadline - hn_seconds();
        if (left <= 0.0)
            return false;
        const int count = poll(&file, 1, left > 1e6 ? 1000000000 : (int)ceil(left * 1e3));
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
    }
}

static bool send_all(const command *c, const char *text, size_t length, double deadline) {
    while (length > 0) {
        if (!ready(c, POLLOUT, deadline))
            return false;
        const ssize_t sent = send(c->socket, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

/** Reads until there is a line; *line: its length without the newline; -1: none came. */
static hone_status receive_line(command *c, double deadline, ptrdiff_t *line) {
    char block[4096];

    *line = -1;
    for (;;) {
        const char *end = c->held.length > 0 ? memchr(c->held.data, '\n', c->held.length) : NULL;
        if (end != NULL) {
            *line = end - c->held.data;
            return HONE_OK;
        }
        if (c->held.length > LONGEST_LINE || !ready(c, POLLIN, deadline))
            return HONE_OK;
        const ssize_t count = recv(c->socket, block, sizeof block, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return HONE_OK;
        HN_TRY(hn_bytes_append(&c->held, block, (size_t)count));
    }
}

/** {"p"} or {"winner"}; NAN for anything else. */
static double read_verdict(const char *text, size_t length) {
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *p = json_object_get(object, "p");
    const char *winner = json_string_value(json_object_get(object, "winner"));
    double verdict = NAN;

    if (json_is_number(p) && json_number_value(p) >= 0.0 && json_number_value(p) <= 1.0)
        verdict = json_number_value(p);
    else if (p == NULL && winner != NULL)
        verdict = strcmp(winner, "a") == 0      ? 1.0
                  : strcmp(winner, "b") == 0    ? 0.0
                  : strcmp(winner, "draw") == 0 ? 0.5
                                                : NAN;
    json_decref(object);
    return verdict;
}

static hone_status question(const hone_case *about, const char *a, const char *b, char **line) {
    json_t *object = json_pack("{s:s,s:s?,s:s,s:s}", "prompt", about->prompt, "reference", about->reference,
                               "a", a, "b", b);
    *line = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return *line != NULL ? HONE_OK
                         : hn_fail(HONE_ERROR_FORMAT, "a question to the judge command is not valid UTF-8");
}

/** A judge may fail; a shell that finds no judge (127) or may not run it (126) never judges anything. */
static hone_status check_outcome(const command *c) {
    const int code = WIFEXITED(c->outcome) ? WEXITSTATUS(c->outcome) : 0;
    if (code != 126 && code != 127)
        return HONE_OK;
    return hn_fail(HONE_ERROR_NOT_FOUND,
                   "judge command \"%s\": the shell can't run it (exit %d): is the path right?", c->text,
                   code);
}

static hone_status compare(void *state, hone_judge_counts *counts, const hone_case *about, const char *a,
                           const char *b, double *p) {
    command *c = state;
    char *line = NULL;
    ptrdiff_t length = -1;
    const double deadline = hn_seconds() + c->timeout;
    hone_status status = HONE_OK;

    *p = NAN;
    HN_GO(question(about, a, b, &line));
    if (c->process == 0)
        HN_GO(start(c));
    if (send_all(c, line, strlen(line), deadline) && send_all(c, "\n", 1, deadline))
        HN_GO(receive_line(c, deadline, &length));
    if (length < 0) { /* too late or gone: a late answer must not be taken for the next one's */
        stop(c, 20);
        HN_GO(check_outcome(c));
        goto done;
    }
    *p = read_verdict(c->held.data, (size_t)length);
    counts->unreadable += isnan(*p) ? 1 : 0;
    c->held.length -= (size_t)length + 1;
    memmove(c->held.data, c->held.data + length + 1, c->held.length);
done:
    free(line);
    return status;
}

static void close_command(void *state) {
    command *c = state;
    stop(c, 200);
    hn_bytes_clear(&c->held);
    hn_free(c->text);
    hn_free(c);
}

static hone_status open_command(const hone_judge_options *options, void **state) {
    command *c = NULL;
    hone_status status = HONE_OK;

    if (options->command == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "judge \"command\": no program is given: pass --judge-command");
    HN_GO(hn_alloc(&c, 1, sizeof *c, "judge"));
    c->timeout = options->timeout;
    HN_GO(hn_strdup(&c->text, options->command));
    *state = c;
    c = NULL;
done:
    if (c != NULL)
        close_command(c);
    return status;
}

const hn_judge_kind hn_judge_command = {
    .name = "command", .open = open_command, .close = close_command, .compare = compare};
