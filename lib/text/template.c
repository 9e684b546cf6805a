#include <core/hash.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <text/template.h>

typedef enum piece_kind { PIECE_LITERAL = 0, PIECE_PROMPT, PIECE_DRAFT, PIECE_COMPLETION } piece_kind;

typedef struct piece {
    piece_kind kind;
    hone_ids ids; /**< of a literal */
} piece;

/** The pieces before the completion, which ends every list. */
typedef struct role {
    piece item[HN_PIECES_MOST];
    int count;
} role;

struct hone_template {
    char *name;
    role answer, revision;
};

static piece_kind kind_of(const char *text) {
    if (strcmp(text, "{prompt}") == 0)
        return PIECE_PROMPT;
    if (strcmp(text, "{draft}") == 0)
        return PIECE_DRAFT;
    return strcmp(text, "{completion}") == 0 ? PIECE_COMPLETION : PIECE_LITERAL;
}

/** Prompt once, draft once in a revision and never in an answer, completion last and once. */
static hone_status check_pieces(const char *name, const char *which, const char *const *pieces,
                                bool revision) {
    int seen[4] = {0}, count = 0;

    for (; pieces[count] != NULL; count++)
        seen[kind_of(pieces[count])]++;
    if (count == 0 || kind_of(pieces[count - 1]) != PIECE_COMPLETION || seen[PIECE_COMPLETION] != 1)
        return hn_fail(HONE_ERROR_FORMAT, "template %s: \"%s\" must end with its only {completion}", name,
                       which);
    if (seen[PIECE_PROMPT] != 1 || seen[PIECE_DRAFT] != (revision ? 1 : 0))
        return hn_fail(HONE_ERROR_FORMAT, "template %s: \"%s\" must have {prompt} once and {draft} %s", name,
                       which, revision ? "once" : "not at all");
    return HONE_OK;
}

static hone_status fill_role(const char *const *pieces, const hone_tokenizer *tokenizer, role *to) {
    for (int i = 0; pieces[i + 1] != NULL; i++) {
        piece *item = &to->item[to->count++];
        item->kind = kind_of(pieces[i]);
        if (item->kind == PIECE_LITERAL)
            HN_TRY(hone_tokenizer_encode(tokenizer, pieces[i], strlen(pieces[i]), true, &item->ids));
    }
    return HONE_OK;
}

/** "<|im_end|>" in a literal must be one token of the tokenizer: else the template belongs to another model. */
static hone_status check_special(const char *name, const char *const *pieces,
                                 const hone_tokenizer *tokenizer) {
    for (int i = 0; pieces[i] != NULL; i++) {
        const char *begin = strstr(pieces[i], "<|"), *end = begin != NULL ? strstr(begin, "|>") : NULL;
        hone_ids ids = {0};
        if (end == NULL)
            continue;
        const hone_status status =
            hone_tokenizer_encode(tokenizer, begin, (size_t)(end + 2 - begin), true, &ids);
        const int64_t count = ids.count;
        hone_ids_clear(&ids);
        HN_TRY(status);
        if (count != 1)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "template %s: the tokenizer has no special token %.*s: choose another --template",
                           name, (int)(end + 2 - begin), begin);
    }
    return HONE_OK;
}

static hone_status build(const hn_template_text *text, const hone_tokenizer *tokenizer, hone_template **out) {
    hone_template *form = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&form, 1, sizeof *form, "template"));
    HN_GO(hn_strdup(&form->name, text->name));
    HN_GO(check_pieces(text->name, "answer", text->answer, false));
    HN_GO(check_pieces(text->name, "revision", text->revision, true));
    HN_GO(check_special(text->name, text->answer, tokenizer));
    HN_GO(fill_role(text->answer, tokenizer, &form->answer));
    HN_GO(fill_role(text->revision, tokenizer, &form->revision));
    *out = form;
    form = NULL;
done:
    hone_template_destroy(form);
    return status;
}

/** A list of strings, borrowed from the JSON. */
static hone_status read_pieces(const json_t *root, const char *path, const char *key, const char **pieces) {
    const json_t *list = json_object_get(root, key);

    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > HN_PIECES_MOST)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a list of 1 to %d pieces", path, key,
                       HN_PIECES_MOST);
    for (size_t i = 0; i < json_array_size(list); i++) {
        pieces[i] = json_string_value(json_array_get(list, i));
        if (pieces[i] == NULL)
            return hn_fail(HONE_ERROR_FORMAT, "%s: piece %zu of \"%s\" must be a string", path, i, key);
    }
    return HONE_OK;
}

static hone_status open_file(const char *path, const hone_tokenizer *tokenizer, hone_template **form) {
    hn_template_text text = {.name = path};
    json_t *root = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_read(path, &root));
    HN_GO(read_pieces(root, path, "answer", text.answer));
    HN_GO(read_pieces(root, path, "revision", text.revision));
    HN_GO(build(&text, tokenizer, form));
done:
    json_decref(root);
    return status;
}

/** Chat templates are programs (Jinja); the marks of their turns tell which of the built-in forms they write. */
static const struct {
    const char *mark, *name;
} marks[] = {{"<|im_start|>", "chatml"},
             {"<|start_header_id|>", "llama-3"},
             {"<start_of_turn>", "gemma"},
             {"<|assistant|>", "phi"}};

static hone_status recognise(const hone_tokenizer *tokenizer, const char **name) {
    const char *chat = hone_tokenizer_chat_template(tokenizer);

    if (chat == NULL)
        return hn_fail(HONE_ERROR_NOT_FOUND,
                       "the model has no chat template: pass --template plain, or another");
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (strstr(chat, marks[i].mark) != NULL) {
            *name = marks[i].name;
            return HONE_OK;
        }
    return hn_fail(
        HONE_ERROR_UNSUPPORTED,
        "the model's chat template is not known (hash %016llx): pass --template with a name or a file",
        (unsigned long long)hn_hash64(chat, strlen(chat)));
}

hone_status hone_template_open(const char *name, const hone_tokenizer *tokenizer, hone_template **form) {
    const size_t length = strlen(name);

    *form = NULL;
    if (strcmp(name, "auto") == 0)
        HN_TRY(recognise(tokenizer, &name));
    for (size_t i = 0; hn_template_builtin(i) != NULL; i++)
        if (strcmp(hn_template_builtin(i)->name, name) == 0)
            return build(hn_template_builtin(i), tokenizer, form);
    if (strchr(name, '/') != NULL || (length > 5 && strcmp(name + length - 5, ".json") == 0))
        return open_file(name, tokenizer, form);
    return hn_fail(
        HONE_ERROR_NOT_FOUND,
        "there is no template \"%s\": choose plain, chatml, llama-2, llama-3, mistral, gemma, phi, auto, "
        "or a .json file",
        name);
}

static void clear_role(role *from) {
    for (int i = 0; i < from->count; i++)
        hone_ids_clear(&from->item[i].ids);
}

void hone_template_destroy(hone_template *form) {
    if (form == NULL)
        return;
    clear_role(&form->answer);
    clear_role(&form->revision);
    hn_free(form->name);
    hn_free(form);
}

static void hash_role(const role *from, hn_hasher *hasher) {
    for (int i = 0; i < from->count; i++) {
        hn_hasher_update(hasher, &from->item[i].kind, sizeof from->item[i].kind);
        hn_hasher_update(hasher, from->item[i].ids.data,
                         (size_t)from->item[i].ids.count * sizeof *from->item[i].ids.data);
    }
}

void hn_template_hash(const hone_template *form, hn_hasher *hasher) {
    hash_role(&form->answer, hasher);
    hn_hasher_text(hasher, "revision");
    hash_role(&form->revision, hasher);
}

const char *hone_template_name(const hone_template *form) { return form->name; }

hone_status hone_template_context(const hone_template *form, const hone_ids *prompt, const hone_ids *draft,
                                  hone_ids *context) {
    const role *from = draft != NULL ? &form->revision : &form->answer;

    for (int i = 0; i < from->count; i++) {
        const piece *item = &from->item[i];
        const hone_ids *ids = &item->ids;
        if (item->kind == PIECE_PROMPT)
            ids = prompt;
        else if (item->kind == PIECE_DRAFT && draft != NULL)
            ids = draft;
        HN_TRY(hone_ids_append(context, ids->data, ids->count));
    }
    return HONE_OK;
}
