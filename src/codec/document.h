/*
 * A parsed text as a tree of values that know their place: the same for libconfig and JSON, so that
 * whoever reads it is written once and speaks alike about both.
 */
#pragma once

#include "codec/problems.h"

enum node_kind {
    NODE_FAULTY, /* already reported: readers pass over it in silence */
    NODE_GROUP,  /* items with keys */
    NODE_LIST,   /* items without */
    NODE_STRING,
    NODE_BOOL,
    NODE_INTEGER,
    NODE_FLOAT,
    NODE_BIG,  /* an integer that does not fit 32 bits, or is written as a 64-bit one */
    NODE_NULL, /* JSON only */
};

struct node {
    enum node_kind kind;
    const struct document *document;
    const struct node *parent; /* NULL for the root */
    char *key;                 /* in a group; else NULL */
    unsigned line;             /* libconfig only */
    char *text;                /* NODE_STRING */
    double number;      /* NODE_INTEGER, NODE_FLOAT: exact for every integer that fits 32 bits */
    bool truth;         /* NODE_BOOL */
    struct node *items; /* NODE_GROUP, NODE_LIST */
    size_t count;
};

struct document {
    char *file;
    bool json;
    struct node root; /* NODE_GROUP, or for JSON whatever stands there */
};

/*
 * Reads a text; `file` names it in messages. A syntax error is reported once and -EBADMSG returned.
 * Values that are wrong in themselves are reported, too, but become NODE_FAULTY. Also -ENOMEM.
 */
int document_parse_conf(const char *file, const char *text, size_t length,
                        struct document **ret_document, struct problems *problems);
int document_parse_json(const char *file, const char *text, size_t length,
                        struct document **ret_document, struct problems *problems);

void document_free(struct document *document);
DEFINE_CLEANUP(struct document *, document_free)

/* "FILE:LINE", or "FILE: organization.members[3].role". The caller owns it; NULL: no memory. */
char *node_place(const struct node *node);

/* Appends an error at the node's place. */
void node_error(const struct node *node, struct problems *problems, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The value of a key, or NULL when the group has none. */
const struct node *node_get(const struct node *group, const char *key);

/* Reports every key of the group that is not one of `keys` (ends with NULL). */
void node_check_keys(const struct node *group, const char *const *keys, struct problems *problems);

/*
 * Whether the node is there (not NULL) and of this kind. A node of another kind is reported, with
 * `example` (or "") showing what belongs there; of a list, it is the example of one item.
 */
bool node_is(const struct node *node, enum node_kind kind, const char *example,
             struct problems *problems);
