/* A chat endpoint as a judge. */
#include "eval/judge.h"

#include <core/file.h>
#include <core/hash.h>
#include <core/json.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <curl/curl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { LONGEST_REPLY = 1 << 20, PATIENCE = 5 };
static const double longest_wait = 60.0, slice = 0.1; /* slice: between two questions whether to stop */

typedef struct http {
    CURL *curl;
    struct curl_slist *headers;
    char *url, *model, *cache;
    int64_t retries;
    double backoff, rate, next; /**< next: when a request may be sent */
    int given_up;               /**< questions in a row that no retry helped */
    bool (*stop)(void *context);
    void *stop_context;
    char error[CURL_ERROR_SIZE];
    hn_bytes reply;
} http;

/** What a request came to. */
typedef enum outcome { ANSWERED, AGAIN, REFUSED } outcome;

static bool asked_to_stop(const http *h) { return h->stop != NULL && h->stop(h->stop_context); }

static void wait_for(const http *h, double seconds) {
    const double end = hn_seconds() + seconds;
    for (double left = seconds; left > 0.0 && !asked_to_stop(h); left = end - hn_seconds()) {
        const struct timespec pause = {.tv_nsec = (long)(fmin(left, slice) * 1e9)};
        (void)nanosleep(&pause, NULL);
    }
}

/** As many requests a second as are allowed, spread evenly. */
static void heed_rate(http *h) {
    const double now = hn_seconds();
    if (h->rate <= 0.0)
        return;
    wait_for(h, h->next - now);
    h->next = (h->next > now ? h->next : now) + 1.0 / h->rate;
}

/** Called by libcurl about once a second: not 0 ends the transfer. */
static int watch(void *context, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up) {
    (void)all_down;
    (void)down;
    (void)all_up;
    (void)up;
    return asked_to_stop(context) ? 1 : 0;
}

static size_t take(char *data, size_t size, size_t count, void *context) {
    http *h = context;
    const size_t length = size * count;
    if (h->reply.length + length > LONGEST_REPLY || hn_bytes_append(&h->reply, data, length) != HONE_OK)
        return 0;
    return length;
}

static hone_status make_body(const http *h, const hone_case *about, const char *a, const char *b,
                             char **body) {
    hn_bytes text = {0};
    json_t *object = NULL;
    hone_status status = HONE_OK;

    *body = NULL;
    HN_GO(hn_bytes_printf(
        &text,
        "Two answers to a request are shown. Judge which one is better: more correct, more useful, "
        "better written.\n\n[Request]\n%s\n\n",
        about->prompt));
    if (about->reference != NULL)
        HN_GO(hn_bytes_printf(&text, "[An answer written by an expert]\n%s\n\n", about->reference));
    HN_GO(hn_bytes_printf(
        &text,
        "[Answer A]\n%s\n\n[Answer B]\n%s\n\n[End]\nReply with one letter and nothing else: A when "
        "answer A is better, B when answer B is better, C when they are equally good.",
        a, b));
    object = json_pack("{s:s,s:f,s:i,s:[{s:s,s:s}]}", "model", h->model, "temperature", 0.0, "max_tokens", 16,
                       "messages", "role", "user", "content", text.data);
    *body = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (*body == NULL)
        status = hn_fail(HONE_ERROR_FORMAT, "a question to the judge at %s is not valid UTF-8", h->url);
done:
    json_decref(object);
    hn_bytes_clear(&text);
    return status;
}

/** One letter, whatever else stands around it that is no letter or digit; NAN for anything else. */
static double read_letter(const char *text) {
    const char *found = NULL;
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        const bool word = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80;
        if (word && found != NULL)
            return NAN;
        found = word ? text : found;
    }
    if (found == NULL)
        return NAN;
    return (*found | 32) == 'a' ? 1.0 : (*found | 32) == 'b' ? 0.0 : (*found | 32) == 'c' ? 0.5 : NAN;
}

/** The verdict in a chat completion. */
static double read_reply(const char *text, size_t length) {
    json_t *object = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
    const json_t *message = json_object_get(json_array_get(json_object_get(object, "choices"), 0), "message");
    const char *content = json_string_value(json_object_get(message, "content"));
    const double p = content != NULL ? read_letter(content) : NAN;
    json_decref(object);
    return p;
}

static hone_status cache_path(const http *h, const char *body, char **path) {
    hn_hasher *hasher = NULL;
    char digest[33], name[48];

    HN_TRY(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, h->url);
    hn_hasher_text(hasher, body);
    hn_hasher_digest(hasher, digest);
    hn_hasher_destroy(hasher);
    memcpy(name, digest, 32);
    memcpy(name + 32, ".json", 6);
    return hn_path_join(h->cache, name, path);
}

/** NAN when the cache has no verdict: a damaged file is as good as none. */
static double look_up(const char *path) {
    char *text = NULL;
    size_t length = 0;
    double p = NAN;

    if (hn_file_exists(path) && hn_file_read(path, LONGEST_REPLY, &text, &length) == HONE_OK)
        p = read_reply(text, length);
    hn_free(text);
    return p;
}

/** Seconds that a 429 or 503 asks for, or 0. */
static double retry_after(const http *h) {
    curl_off_t seconds = 0;
    return curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK ? (double)seconds : 0.0;
}

static bool is_passing(CURLcode code) {
    return code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
           code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE ||
           code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

/** One request. *wanted: seconds that the server asks to be left alone. REFUSED has recorded a failure. */
static outcome post(http *h, const char *body, double *wanted) {
    long code = 0;

    *wanted = 0.0;
    h->reply.length = 0;
    h->error[0] = '\0';
    heed_rate(h);
    (void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
    const CURLcode done = curl_easy_perform(h->curl);
    if (done != CURLE_OK && is_passing(done)) {
        hn_log(HONE_LOG_DEBUG, "judge at %s: %s", h->url, curl_easy_strerror(done));
        return AGAIN;
    }
    if (done != CURLE_OK) {
        (void)hn_fail(HONE_ERROR_IO, "judge at %s: %s", h->url,
                      h->error[0] != '\0' ? h->error : curl_easy_strerror(done));
        return REFUSED;
    }
    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
    *wanted = retry_after(h);
    if (code == 408 || code == 429 || code >= 500)
        return AGAIN;
    if (code == 200)
        return ANSWERED;
    (void)hn_fail(HONE_ERROR_IO, "judge at %s: status %ld: %.*s", h->url, code,
                  h->reply.length < 200 ? (int)h->reply.length : 200,
                  h->reply.length > 0 ? h->reply.data : "");
    return REFUSED;
}

/** Until it is answered, refused, or the retries are used up: then ANSWERED is not returned. */
static outcome post_patiently(http *h, const char *body, hone_judge_counts *counts) {
    double pause = h->backoff, wanted = 0.0;

    for (int64_t i = 0;; i++) {
        counts->requests++;
        counts->retried += i > 0;
        const outcome out = post(h, body, &wanted);
        if (out != AGAIN || i == h->retries || asked_to_stop(h))
            return out;
        wait_for(h, fmin(longest_wait, fmax(pause, wanted)));
        if (asked_to_stop(h))
            return AGAIN;
        pause *= 2.0;
    }
}

static hone_status ask(http *h, const char *body, hone_judge_counts *counts, double *p) {
    const outcome out = post_patiently(h, body, counts);

    if (out != ANSWERED && asked_to_stop(h))
        return hn_fail(HONE_ERROR_INTERRUPTED,
                       "stopped while the judge at %s was asked; what was sampled is kept", h->url);
    if (out == REFUSED)
        return HONE_ERROR_IO;
    h->given_up = out == ANSWERED ? 0 : h->given_up + 1;
    if (h->given_up == PATIENCE)
        return hn_fail(
            HONE_ERROR_IO,
            "judge at %s: %d questions in a row were not answered, each asked %lld times; is it running?",
            h->url, PATIENCE, (long long)h->retries + 1);
    if (out == ANSWERED) {
        *p = read_reply(h->reply.data, h->reply.length);
        counts->unreadable += isnan(*p) ? 1 : 0;
    }
    return HONE_OK;
}

static hone_status compare(void *state, hone_judge_counts *counts, const hone_case *about, const char *a,
                           const char *b, double *p) {
    http *h = state;
    char *body = NULL, *path = NULL;
    hone_status status = HONE_OK;

    *p = NAN;
    HN_GO(make_body(h, about, a, b, &body));
    if (h->cache != NULL) {
        HN_GO(cache_path(h, body, &path));
        *p = look_up(path);
    }
    if (!isnan(*p)) {
        counts->cached++;
        goto done;
    }
    if (path != NULL) /* before the question costs anything */
        HN_GO(hn_folder_make(h->cache));
    HN_GO(ask(h, body, counts, p));
    if (!isnan(*p) && path != NULL)
        HN_GO(hn_file_replace(path, h->reply.data, h->reply.length));
done:
    hn_free(path);
    free(body);
    return status;
}

/** A key goes by TLS, or stays on this machine. */
static hone_status check(const hone_judge_options *o) {
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    bool safe = strncasecmp(o->url, "https://", 8) == 0;

    if (!safe && strncasecmp(o->url, "http://", 7) != 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "judge \"http\": the URL \"%s\" must begin with https:// or http://", o->url);
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        const size_t length = strlen(here[i]);
        safe = safe || (strncasecmp(o->url, here[i], length) == 0 && strchr(":/", o->url[length]) != NULL &&
                        strchr(o->url, '@') == NULL);
    }
    if (!safe && o->key != NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "judge \"http\": the key would travel unprotected to %s; use https://", o->url);
    if (o->retries < 0 || !isfinite(o->backoff) || o->backoff < 0.0 || !isfinite(o->rate) || o->rate < 0.0)
        return hn_fail(
            HONE_ERROR_ARGUMENT,
            "judge \"http\": retries (%lld), backoff (%g s) and rate (%g a second) must be at least 0",
            (long long)o->retries, o->backoff, o->rate);
    return HONE_OK;
}

static hone_status add_header(http *h, const char *line) {
    struct curl_slist *more = curl_slist_append(h->headers, line);
    if (more == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "out of memory for the judge's headers");
    h->headers = more;
    return HONE_OK;
}

static hone_status set_headers(http *h, const char *key) {
    char *line = NULL;
    hone_status status = HONE_OK;

    HN_GO(add_header(h, "Content-Type: application/json"));
    if (key != NULL) {
        HN_GO(hn_format(&line, "Authorization: Bearer %s", key));
        HN_GO(add_header(h, line));
    }
done:
    hn_free(line);
    return status;
}

static hone_status set_up(http *h, double timeout) {
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code == CURLE_OK ? curl_easy_setopt(h->curl, option, value) : code
    SET(CURLOPT_URL, h->url);
    SET(CURLOPT_HTTPHEADER, h->headers);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)ceil(timeout * 1e3));
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, h);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, h);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_ERRORBUFFER, h->error);
#undef SET
    if (code != CURLE_OK)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "judge at %s: libcurl: %s", h->url, curl_easy_strerror(code));
    return HONE_OK;
}

static void close_http(void *state) {
    http *h = state;
    if (h == NULL)
        return;
    curl_easy_cleanup(h->curl);
    curl_slist_free_all(h->headers);
    hn_bytes_clear(&h->reply);
    hn_free(h->url);
    hn_free(h->model);
    hn_free(h->cache);
    hn_free(h);
}

static hone_status open_http(const hone_judge_options *o, void **state) {
    http *h = NULL;
    hone_status status = HONE_OK;

    if (o->url == NULL || o->model == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "judge \"http\" needs a URL and a model (--judge-url, --judge-model)");
    HN_TRY(check(o));
    HN_GO(hn_alloc(&h, 1, sizeof *h, "judge"));
    h->retries = o->retries;
    h->backoff = o->backoff;
    h->rate = o->rate;
    h->stop = o->stop;
    h->stop_context = o->stop_context;
    HN_GO(hn_strdup(&h->url, o->url));
    HN_GO(hn_strdup(&h->model, o->model));
    if (o->cache != NULL)
        HN_GO(hn_strdup(&h->cache, o->cache));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->curl = curl_easy_init()) == NULL)
        HN_GO(hn_fail(HONE_ERROR_UNSUPPORTED, "libcurl could not be initialised"));
    HN_GO(set_headers(h, o->key));
    HN_GO(set_up(h, o->timeout));
    *state = h;
    h = NULL;
done:
    close_http(h);
    return status;
}

const hn_judge_kind hn_judge_http = {
    .name = "http", .open = open_http, .close = close_http, .compare = compare};
