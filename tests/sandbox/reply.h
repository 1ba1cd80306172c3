/* An answer before it is sent: status, headers, JSON or text, and how it is to be delivered. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How the body goes out; the faults use all but the first. */
enum delivery {
    DELIVER_WHOLE,
    DELIVER_HALF,    /* half of the promised body, then the connection closes */
    DELIVER_DRIP,    /* a byte each 200 ms */
    DELIVER_PADDED,  /* chunked, with `padding` spaces before the body */
    DELIVER_NOTHING, /* the connection closes with no answer */
    DELIVER_NEVER,   /* no answer until the client gives up */
};

struct reply {
    unsigned status;
    json_t *json; /* the body, unless `body` is set */
    char *body;   /* text, or the JSON once it has been written out */
    size_t size;
    const char *type; /* of the content; a constant */
    bool gzipped;
    json_t *headers; /* further headers, name → string */
    enum delivery delivery;
    size_t padding;
};

/* All of these take `json` and `body` over and never return NULL; release with reply_free. */
struct reply *reply_json(unsigned status, json_t *json);
struct reply *reply_text(unsigned status, const char *type, char *body);
/* The documented error envelope; `param` and `code` may be NULL. */
struct reply *reply_error(unsigned status, const char *type, const char *message, const char *param,
                          const char *code);
/* An answer that is not given. */
struct reply *reply_silent(enum delivery delivery);
void reply_free(struct reply *reply);

void reply_header(struct reply *reply, const char *name, const char *value);

/* Writes the JSON out, so that `body` and `size` hold what is to be sent. */
void reply_write(struct reply *reply);

/* Compresses a body of more than 1 KiB if the Accept-Encoding value (may be NULL) allows it. */
void reply_compress(struct reply *reply, const char *accept_encoding);

static inline void reply_free_pointer(struct reply **reply)
{
    if (*reply)
        reply_free(*reply);
}
#define _cleanup_reply_ _cleanup_(reply_free_pointer)
