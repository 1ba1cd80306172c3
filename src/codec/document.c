/* The tree of values and what can be said about any of them. */
#include "codec/document.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/conftext.h"
#include "codec/jsontext.h"
#include "codec/utf8.h"

/* Gives the node room for `count` items that know where they belong. */
static int make_items(struct node *node, size_t count)
{
    if (count == 0)
        return 0;
    node->items = calloc(count, sizeof *node->items);
    if (!node->items)
        return -ENOMEM;
    node->count = count;
    for (size_t i = 0; i < count; i++) {
        node->items[i].document = node->document;
        node->items[i].parent = node;
    }
    return 0;
}

/* libconfig turns "\xff" into that byte: a string may be invalid in a file that is valid. */
static int read_conf_string(const char *text, struct node *node, struct problems *problems)
{
    /* libconfig leaves a string out where it is refused memory. */
    node->text = text ? strdup(text) : NULL;
    if (!node->text)
        return -ENOMEM;
    size_t length = strlen(node->text);
    node->kind = NODE_STRING;
    if (utf8_fault_offset(node->text, length) < length) {
        node->kind = NODE_FAULTY;
        node_error(node, problems,
                   "the string is not valid UTF-8; write the characters themselves, not \\x");
    }
    return 0;
}

static int read_conf_value(const config_setting_t *setting, struct node *node,
                           struct problems *problems)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        return read_conf_string(config_setting_get_string(setting), node, problems);
    case CONFIG_TYPE_BOOL:
        node->kind = NODE_BOOL;
        node->truth = config_setting_get_bool(setting) != CONFIG_FALSE;
        return 0;
    case CONFIG_TYPE_INT:
        node->kind = NODE_INTEGER;
        node->number = config_setting_get_int(setting);
        return 0;
    case CONFIG_TYPE_FLOAT:
        node->kind = NODE_FLOAT;
        node->number = config_setting_get_float(setting);
        return 0;
    default:
        node->kind = NODE_BIG;
        return 0;
    }
}

/* Recursion is as deep as conftext allows brackets to be nested. */
static int read_conf(const config_setting_t *setting, struct node *node, struct problems *problems)
{
    node->line = config_setting_source_line(setting);
    if (!config_setting_is_aggregate(setting))
        return read_conf_value(setting, node, problems);
    node->kind = config_setting_is_group(setting) ? NODE_GROUP : NODE_LIST;
    int r = make_items(node, (size_t)config_setting_length(setting));
    for (size_t i = 0; r == 0 && i < node->count; i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct node *child = &node->items[i];
        const char *name = config_setting_name(item);
        child->key = name ? strdup(name) : NULL;
        if (node->kind == NODE_GROUP && !child->key)
            r = -ENOMEM;
        else
            r = read_conf(item, child, problems);
    }
    return r;
}

static int read_json(const json_t *value, struct node *node);

static int read_json_group(const json_t *value, struct node *node)
{
    const char *key;
    json_t *item;
    struct node *child = node->items;
    json_object_foreach((json_t *)value, key, item)
    {
        child->key = strdup(key);
        if (!child->key)
            return -ENOMEM;
        int r = read_json(item, child++);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_json_list(const json_t *value, struct node *node)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < node->count; i++)
        r = read_json(json_array_get(value, i), &node->items[i]);
    return r;
}

/* Recursion is as deep as jansson allows (2048). */
static int read_json(const json_t *value, struct node *node)
{
    int r;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        node->kind = NODE_GROUP;
        r = make_items(node, json_object_size(value));
        return r < 0 ? r : read_json_group(value, node);
    case JSON_ARRAY:
        node->kind = NODE_LIST;
        r = make_items(node, json_array_size(value));
        return r < 0 ? r : read_json_list(value, node);
    case JSON_STRING:
        node->kind = NODE_STRING;
        node->text = strdup(json_string_value(value));
        return node->text ? 0 : -ENOMEM;
    case JSON_TRUE:
    case JSON_FALSE:
        node->kind = NODE_BOOL;
        node->truth = json_is_true(value);
        return 0;
    case JSON_INTEGER:
    case JSON_REAL:
        node->kind = json_is_integer(value) ? NODE_INTEGER : NODE_FLOAT;
        node->number = json_number_value(value);
        return 0;
    case JSON_NULL:
        break;
    }
    node->kind = NODE_NULL;
    return 0;
}

static struct document *document_new(const char *file, bool json)
{
    struct document *document = calloc(1, sizeof *document);
    if (!document || !(document->file = strdup(file))) {
        free(document);
        return NULL;
    }
    document->json = json;
    document->root.document = document;
    return document;
}

int document_parse_conf(const char *file, const char *text, size_t length,
                        struct document **ret_document, struct problems *problems)
{
    _cleanup_(document_free_pointer) struct document *document = document_new(file, false);
    if (!document)
        return -ENOMEM;
    _cleanup_(config_destroy) config_t config;
    config_init(&config);
    int r = conftext_parse(file, text, length, &config, problems);
    if (r == 0)
        r = read_conf(config_root_setting(&config), &document->root, problems);
    if (r == 0)
        *ret_document = TAKE(document);
    return r;
}

static void put(struct problems *problems, const char *file, unsigned line, const char *sentence)
{
    _cleanup_free_ char *place = memory_format("%s:%u", file, line);
    problems_add(problems, place ? place : file, "%s", sentence);
}

static void put_json_error(struct problems *problems, const char *file, const json_error_t *error)
{
    /* jansson quotes the text it stumbled over; ours is to say what is wrong, not to repeat it. */
    const char *near = strstr(error->text, " near ");
    int length = (int)(near ? (size_t)(near - error->text) : strlen(error->text));
    char sentence[JSON_ERROR_TEXT_LENGTH + 64];
    if (json_error_code(error) == json_error_duplicate_key)
        snprintf(sentence, sizeof sentence, "a key is given a second time here; remove one");
    else if (json_error_code(error) == json_error_null_character)
        snprintf(sentence, sizeof sentence, "\\u0000 in a string; remove it");
    else
        snprintf(sentence, sizeof sentence, "not valid JSON: %.*s; correct it", length,
                 error->text);
    put(problems, file, error->line > 0 ? (unsigned)error->line : 1, sentence);
}

static int load_json(const char *file, const char *text, size_t length, json_t **ret_value,
                     struct problems *problems)
{
    unsigned line = 1;
    json_error_t error;
    const char *fault = utf8_text_fault(text, length, &line);
    if (length > CONFTEXT_MAX)
        fault = "the file is longer than 16 MiB; make it shorter";
    else if (length == 0)
        fault = "the file is empty; write {\"organization\": {\"members\": [...]}}";
    if (fault) {
        put(problems, file, line, fault);
        return -EBADMSG;
    }
    int r = jsontext_load(text, length, ret_value, &error);
    if (r == -EBADMSG)
        put_json_error(problems, file, &error);
    return r;
}

int document_parse_json(const char *file, const char *text, size_t length,
                        struct document **ret_document, struct problems *problems)
{
    _cleanup_(document_free_pointer) struct document *document = document_new(file, true);
    if (!document)
        return -ENOMEM;
    json_t *value;
    int r = load_json(file, text, length, &value, problems);
    if (r < 0)
        return r;
    r = read_json(value, &document->root);
    json_decref(value);
    if (r == 0)
        *ret_document = TAKE(document);
    return r;
}

static void node_clear(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        node_clear(&node->items[i]);
    free(node->items);
    free(node->key);
    free(node->text);
}

void document_free(struct document *document)
{
    node_clear(&document->root);
    free(document->file);
    free(document);
}

/* "organization.members[3].role"; NULL when memory is short. */
static char *node_path(const struct node *node)
{
    if (!node->parent)
        return strdup("");
    _cleanup_free_ char *above = node_path(node->parent);
    if (!above)
        return NULL;
    if (!node->key)
        return memory_format("%s[%zu]", above, (size_t)(node - node->parent->items));
    /* A key from a file may be of any length; ours are short. */
    return memory_format("%s%s%.40s", above, *above ? "." : "", node->key);
}

char *node_place(const struct node *node)
{
    const struct document *document = node->document;
    if (!document->json)
        return memory_format("%s:%u", document->file, node->line > 0 ? node->line : 1);
    if (!node->parent)
        return strdup(document->file);
    _cleanup_free_ char *path = node_path(node);
    if (path && *path == '\0')
        return strdup(document->file);
    return path ? memory_format("%s: %s", document->file, path) : NULL;
}

void node_error(const struct node *node, struct problems *problems, const char *format, ...)
{
    _cleanup_free_ char *place = node_place(node), *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    problems_add(problems, place ? place : node->document->file, "%s",
                 text ? text : "something is wrong here, and memory is short");
}

const struct node *node_get(const struct node *group, const char *key)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->items[i].key && strcmp(group->items[i].key, key) == 0)
            return &group->items[i];
    return NULL;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* "`id`, `role`" */
static char *enumerate(const char *const *words)
{
    char *text = strdup("");
    for (const char *const *word = words; text && *word; word++) {
        char *longer = memory_format("%s%s`%s`", text, word == words ? "" : ", ", *word);
        free(text);
        text = longer;
    }
    return text;
}

void node_check_keys(const struct node *group, const char *const *keys, struct problems *problems)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct node *item = &group->items[i];
        if (!item->key || is_one_of(item->key, keys))
            continue;
        const char *meant = problems_suggest(item->key, keys);
        _cleanup_free_ char *known = enumerate(keys);
        if (meant)
            node_error(item, problems, "unknown key %s; did you mean `%s`?", QUOTED(item->key),
                       meant);
        else
            node_error(item, problems, "unknown key %s; remove it, known here: %s",
                       QUOTED(item->key), known ? known : "others");
    }
}

static const char *kind_phrase(const struct node *node)
{
    switch (node->kind) {
    case NODE_GROUP:
        return node->document->json ? "an object" : "a group";
    case NODE_LIST:
        return node->document->json ? "an array" : "a list";
    case NODE_STRING:
        return "a string";
    case NODE_BOOL:
        return "true or false";
    case NODE_INTEGER:
    case NODE_FLOAT:
    case NODE_BIG:
        return "a number";
    case NODE_NULL:
        return "null";
    case NODE_FAULTY:
        break;
    }
    return "faulty";
}

bool node_is(const struct node *node, enum node_kind kind, const char *example,
             struct problems *problems)
{
    if (!node || node->kind == NODE_FAULTY)
        return false;
    if (node->kind == kind)
        return true;
    struct node wanted = {.kind = kind, .document = node->document};
    bool list = kind == NODE_LIST, json = node->document->json;
    const char *open = !list ? "" : json ? "[" : "( ", *close = !list ? "" : json ? "]" : " )";
    const char *quote = node->key ? "`" : "", *key = node->key ? node->key : "this value";
    if (*example)
        node_error(node, problems, "%s%s%s must be %s, such as %s%s%s, not %s", quote, key, quote,
                   kind_phrase(&wanted), open, example, close, kind_phrase(node));
    else
        node_error(node, problems, "%s%s%s must be %s, not %s", quote, key, quote,
                   kind_phrase(&wanted), kind_phrase(node));
    return false;
}
