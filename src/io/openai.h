/* The calls of the API over HTTP: requests of the core in, answers of the core out. */
#pragma once

#include "core/call.h"
#include "io/http.h"

struct openai_options {
    const char *base_url;     /* without a trailing slash */
    const char *organization; /* sent as OpenAI-Organization; NULL or "": not sent */
    struct http_options http;
};

/* Takes over nothing: the answer is the callback's to clear. */
typedef void (*openai_answered)(struct answer *answer, void *userdata);

struct openai;

/* Returns 0 or a negative errno. Texts are copied. */
int openai_new(sd_event *event, const struct openai_options *options, struct openai **ret);
void openai_free(struct openai *openai);
DEFINE_CLEANUP(struct openai *, openai_free)

/* The key for requests from now on; copied, and wiped when replaced. Returns 0 or -ENOMEM. */
int openai_set_key(struct openai *openai, const char *key);
/* No request is in flight, and none follows before another key is set. */
void openai_forget_key(struct openai *openai);

/*
 * Sends a request. `answered` is called once from the event loop, unless openai_cancel() or
 * openai_free() comes first. Returns 0 or a negative errno, and then it is not called.
 */
int openai_send(struct openai *openai, const struct request *request, openai_answered answered,
                void *userdata);
void openai_cancel(struct openai *openai);
/* Gives up on what is in flight: each request is answered at once as lost, with this error. */
void openai_give_up(struct openai *openai, const char *error);
