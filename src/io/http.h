/* HTTP on the event loop: libcurl's multi interface driven by sd-event. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/memory.h"

/* A longer body than this is not read. */
#define HTTP_BODY_MAX ((size_t)16 << 20)

struct http_options {
    const char *proxy;     /* NULL or "": none; the environment's proxies are never used */
    const char *ca_file;   /* NULL or "": the system's */
    uint64_t timeout_usec; /* for a whole request */
    unsigned connections;  /* at most */
};

struct http_request {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *url;
    const char *key;          /* sent as `Authorization: Bearer` */
    const char *organization; /* sent as `OpenAI-Organization`; NULL or "": not sent */
    const char *body;         /* JSON; NULL: none */
};

enum http_outcome {
    HTTP_ANSWERED, /* a whole answer, or at least its status where that is an error */
    HTTP_LOST,     /* the request may have reached the server; no usable answer */
    HTTP_UNSENT,   /* no connection: the request did not reach the server */
};

/* Borrowed by the callback; NULL stands for a header that was not sent. */
struct http_answer {
    enum http_outcome outcome;
    int status; /* 0: none */
    const char *body;
    size_t length;
    const char *error; /* why it was lost or not sent, for people */
    const char *request_id, *organization, *retry_after, *retry_after_ms, *should_retry, *date;
};

/* Called exactly once for each request sent; with NULL when it was cancelled: release userdata. */
typedef void (*http_answered)(const struct http_answer *answer, void *userdata);

struct http;

/* Returns 0 or a negative errno. */
int http_new(sd_event *event, const struct http_options *options, struct http **ret);
/* Cancels what is in flight. Must come before the event loop goes away. */
void http_free(struct http *http);
DEFINE_CLEANUP(struct http *, http_free)

/*
 * Sends a request, whose texts are copied. `answered` is called from the event loop. Returns 0 or a
 * negative errno, and then it is not called.
 */
int http_send(struct http *http, const struct http_request *request, http_answered answered,
              void *userdata);
/* Cancels what is in flight; connections that are idle stay. */
void http_cancel(struct http *http);
/* Gives up on what is in flight: each is answered at once as HTTP_LOST with this error. */
void http_give_up(struct http *http, const char *error);
