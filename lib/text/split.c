#include <core/status.h>
#include <string.h>
#include <text/pattern.h>
#include <text/split.h>

enum { STEPS_MOST = 16 };

typedef enum behaviour {
    BEHAVIOUR_ISOLATED = 0,
    BEHAVIOUR_REMOVED,
    BEHAVIOUR_PREVIOUS,
    BEHAVIOUR_NEXT,
    BEHAVIOUR_CONTIGUOUS
} behaviour;

typedef struct step {
    hn_pattern *pattern;
    behaviour what;
    bool invert;
} step;

struct hn_splitter {
    step item[STEPS_MOST];
    size_t count;
    bool prefix_space;
};

static const char gpt2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

void hn_spans_clear(hn_spans *spans) {
    hn_free(spans->item);
    memset(spans, 0, sizeof *spans);
}

static hone_status add_span(hn_spans *spans, size_t begin, size_t end) {
    if (begin == end)
        return HONE_OK;
    HN_TRY(hn_reserve(&spans->item, &spans->capacity, spans->count + 1, sizeof *spans->item, "words"));
    spans->item[spans->count++] = (hn_span){begin, end};
    return HONE_OK;
}

static hone_status add_step(hn_splitter *splitter, const char *pattern, bool literal, behaviour what,
                            bool invert) {
    if (splitter->count >= STEPS_MOST)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "more than %d pre-tokenisation steps", STEPS_MOST);
    step *item = &splitter->item[splitter->count];
    HN_TRY(hn_pattern_create(pattern, literal, &item->pattern));
    item->what = what;
    item->invert = invert;
    splitter->count++;
    return HONE_OK;
}

static hone_status read_behaviour(const json_t *definition, const char *where, behaviour *what) {
    static const char *const names[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext",
                                        "Contiguous"};
    const char *name = NULL;

    HN_TRY(hn_json_string(definition, "behavior", where, &name));
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            *what = (behaviour)i;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: split behaviour \"%s\" is not supported", where, name);
}

static hone_status read_split(hn_splitter *splitter, const json_t *definition, const char *where) {
    const json_t *pattern = json_object_get(definition, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *literal = json_string_value(json_object_get(pattern, "String"));
    behaviour what = BEHAVIOUR_ISOLATED;
    bool invert = false;

    if (regex == NULL && literal == NULL)
        return hn_fail(HONE_ERROR_FORMAT, "%s: a Split needs a pattern", where);
    HN_TRY(read_behaviour(definition, where, &what));
    HN_TRY(hn_json_boolean_or(definition, "invert", where, false, &invert));
    return add_step(splitter, regex != NULL ? regex : literal, regex == NULL, what, invert);
}

static hone_status read_byte_level(hn_splitter *splitter, const json_t *definition, const char *where) {
    bool use_regex = true, prefix = false;

    HN_TRY(hn_json_boolean_or(definition, "use_regex", where, true, &use_regex));
    HN_TRY(hn_json_boolean_or(definition, "add_prefix_space", where, false, &prefix));
    splitter->prefix_space = splitter->prefix_space || prefix;
    return use_regex ? add_step(splitter, gpt2, false, BEHAVIOUR_ISOLATED, false) : HONE_OK;
}

static hone_status read_step(hn_splitter *splitter, const json_t *definition, const char *where, int depth);

static hone_status read_sequence(hn_splitter *splitter, const json_t *definition, const char *where,
                                 int depth) {
    const json_t *list = json_object_get(definition, "pretokenizers");

    if (!json_is_array(list) || depth > 4)
        return hn_fail(HONE_ERROR_FORMAT, "%s: a Sequence needs \"pretokenizers\"", where);
    for (size_t i = 0; i < json_array_size(list); i++)
        HN_TRY(read_step(splitter, json_array_get(list, i), where, depth + 1));
    return HONE_OK;
}

static hone_status read_step(hn_splitter *splitter, const json_t *definition, const char *where, int depth) {
    const char *type = NULL;
    bool individual = false;

    HN_TRY(hn_json_string(definition, "type", where, &type));
    if (strcmp(type, "Sequence") == 0)
        return read_sequence(splitter, definition, where, depth);
    if (strcmp(type, "Split") == 0)
        return read_split(splitter, definition, where);
    if (strcmp(type, "ByteLevel") == 0)
        return read_byte_level(splitter, definition, where);
    if (strcmp(type, "Digits") == 0) {
        HN_TRY(hn_json_boolean_or(definition, "individual_digits", where, false, &individual));
        return add_step(splitter, individual ? "\\p{N}" : "\\p{N}+", false, BEHAVIOUR_ISOLATED, false);
    }
    return hn_fail(HONE_ERROR_UNSUPPORTED,
                   "%s: pre-tokenizer \"%s\" is not supported; hone reads byte-level BPE (ByteLevel, Split, "
                   "Digits, Sequence)",
                   where, type);
}

/** ByteLevel must come somewhere: it is what makes bytes of the text. */
static bool has_byte_level(const json_t *definition) {
    const char *type = json_string_value(json_object_get(definition, "type"));
    const json_t *list = json_object_get(definition, "pretokenizers");

    if (type != NULL && strcmp(type, "ByteLevel") == 0)
        return true;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (has_byte_level(json_array_get(list, i)))
            return true;
    return false;
}

hone_status hn_splitter_create(const json_t *definition, const char *where, hn_splitter **out) {
    hn_splitter *splitter = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    if (!json_is_object(definition))
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: \"pre_tokenizer\" is missing; hone reads byte-level BPE",
                       where);
    HN_GO(hn_alloc(&splitter, 1, sizeof *splitter, "pre-tokenizer"));
    status = read_step(splitter, definition, where, 0);
    if (status != HONE_OK && strstr(hone_message(), where) == NULL)
        status = hn_fail_in(status, "%s", where);
    if (status != HONE_OK)
        goto done;
    if (!has_byte_level(definition)) {
        status = hn_fail(HONE_ERROR_UNSUPPORTED, "%s: the pre-tokenizer is not byte-level", where);
        goto done;
    }
    *out = splitter;
    splitter = NULL;
done:
    hn_splitter_destroy(splitter);
    return status;
}

void hn_splitter_destroy(hn_splitter *splitter) {
    if (splitter == NULL)
        return;
    for (size_t i = 0; i < splitter->count; i++)
        hn_pattern_destroy(splitter->item[i].pattern);
    hn_free(splitter);
}

bool hn_splitter_prefix_space(const hn_splitter *splitter) { return splitter->prefix_space; }

/** Pieces of one word in order, each a match or not, handed to the behaviour. */
typedef struct pieces {
    hn_spans *out;
    size_t first; /**< spans of this word begin here */
    bool last_matched;
} pieces;

static hone_status add_piece(pieces *p, behaviour what, size_t begin, size_t end, bool matched) {
    const bool follows = p->out->count > p->first;
    hn_span *last = follows ? &p->out->item[p->out->count - 1] : NULL;
    const bool before = p->last_matched;

    if (begin == end)
        return HONE_OK;
    p->last_matched = matched;
    switch (what) {
    case BEHAVIOUR_REMOVED:
        return matched ? HONE_OK : add_span(p->out, begin, end);
    case BEHAVIOUR_PREVIOUS:
        if (matched && !before && follows) {
            last->end = end;
            return HONE_OK;
        }
        return add_span(p->out, begin, end);
    case BEHAVIOUR_NEXT:
        /* The last of a run of matches goes with what follows. */
        if (!matched && before && follows) {
            last->end = end;
            return HONE_OK;
        }
        return add_span(p->out, begin, end);
    case BEHAVIOUR_CONTIGUOUS:
        if (follows && matched == before) {
            last->end = end;
            return HONE_OK;
        }
        return add_span(p->out, begin, end);
    case BEHAVIOUR_ISOLATED:
        break;
    }
    return add_span(p->out, begin, end);
}

/** A word is searched as a text of its own: look-around does not see its neighbours. */
static hone_status split_word(const step *by, const char *text, hn_span word, hn_spans *out) {
    const char *part = text + word.begin;
    const size_t length = word.end - word.begin;
    pieces p = {.out = out, .first = out->count};
    size_t at = 0;

    while (at < length) {
        bool found = false;
        size_t begin = 0, end = 0;
        HN_TRY(hn_pattern_find(by->pattern, part, length, at, &found, &begin, &end));
        if (!found)
            break;
        HN_TRY(add_piece(&p, by->what, word.begin + at, word.begin + begin, by->invert));
        HN_TRY(add_piece(&p, by->what, word.begin + begin, word.begin + end, !by->invert));
        at = end;
    }
    return add_piece(&p, by->what, word.begin + at, word.end, by->invert);
}

hone_status hn_splitter_run(const hn_splitter *splitter, const char *text, size_t length, hn_spans *words) {
    hn_spans next = {0};
    hone_status status = HONE_OK;

    words->count = 0;
    HN_GO(add_span(words, 0, length));
    for (size_t s = 0; s < splitter->count; s++) {
        next.count = 0;
        for (size_t w = 0; w < words->count; w++)
            HN_GO(split_word(&splitter->item[s], text, words->item[w], &next));
        const hn_spans swap = *words;
        *words = next;
        next = swap;
    }
done:
    hn_spans_clear(&next);
    return status;
}
