/* From HTTP to the API and back (API description, /organization/invites and /organization/users).
 */
#include "openai.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "codec/date.h"
#include "codec/retry.h"
#include "codec/utf8.h"
#include "codec/wire.h"
#include "core/pace.h"

/* The largest page that the API allows: fewest requests. */
#define PAGE_LIMIT 100

struct openai {
    struct http *http;
    char *base_url, *organization, *key;
};

/* One request in flight: what the answer has to be read as. */
struct exchange {
    const struct openai *openai;
    enum call call;
    unsigned tag;
    char *id; /* of the invite or user; DELETE, DELETE_USER: what the answer must confirm */
    openai_answered answered;
    void *userdata;
};

static void exchange_free(struct exchange *exchange)
{
    free(exchange->id);
    free(exchange);
}
DEFINE_CLEANUP(struct exchange *, exchange_free)

int openai_new(sd_event *event, const struct openai_options *options, struct openai **ret)
{
    _cleanup_(openai_free_pointer) struct openai *openai = calloc(1, sizeof *openai);
    if (!openai || memory_set(&openai->base_url, options->base_url) < 0 ||
        memory_set(&openai->organization, options->organization) < 0)
        return -ENOMEM;
    int r = http_new(event, &options->http, &openai->http);
    if (r < 0)
        return r;
    *ret = TAKE(openai);
    return 0;
}

void openai_free(struct openai *openai)
{
    if (openai->http)
        http_free(openai->http);
    free(openai->base_url);
    free(openai->organization);
    openai_forget_key(openai);
    free(openai);
}

int openai_set_key(struct openai *openai, const char *key)
{
    char *copy = strdup(key);
    if (!copy)
        return -ENOMEM;
    openai_forget_key(openai);
    openai->key = copy;
    return 0;
}

void openai_forget_key(struct openai *openai)
{
    if (openai->key)
        memory_wipe(openai->key);
    openai->key = NULL;
    memory_wipe_stack();
}

void openai_cancel(struct openai *openai)
{
    http_cancel(openai->http);
}

void openai_give_up(struct openai *openai, const char *error)
{
    http_give_up(openai->http, error);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* What the paths call the things that are listed. */
#define INVITES "invites"
#define USERS   "users"

static char *page_url(const struct openai *openai, const char *things, const char *cursor)
{
    if (!cursor)
        return memory_format("%s/organization/%s?limit=%d", openai->base_url, things, PAGE_LIMIT);
    char *escaped = curl_easy_escape(NULL, cursor, 0);
    char *url = escaped ? memory_format("%s/organization/%s?limit=%d&after=%s", openai->base_url,
                                        things, PAGE_LIMIT, escaped)
                        : NULL;
    curl_free(escaped);
    return url;
}

static char *thing_url(const struct openai *openai, const char *things, const char *id)
{
    char *escaped = curl_easy_escape(NULL, id, 0);
    char *url =
        escaped ? memory_format("%s/organization/%s/%s", openai->base_url, things, escaped) : NULL;
    curl_free(escaped);
    return url;
}

static char *request_url(const struct openai *openai, const struct request *request)
{
    switch (request->call) {
    case CALL_LIST:
        return page_url(openai, INVITES, request->cursor);
    case CALL_CREATE:
        return memory_format("%s/organization/%s", openai->base_url, INVITES);
    case CALL_RETRIEVE:
    case CALL_DELETE:
        return thing_url(openai, INVITES, request->invite_id);
    case CALL_LIST_USERS:
        return page_url(openai, USERS, request->cursor);
    case CALL_RETRIEVE_USER:
    case CALL_SET_ROLE:
    case CALL_DELETE_USER:
        return thing_url(openai, USERS, request->user_id);
    }
    return NULL;
}

static const char *request_method(enum call call)
{
    switch (call) {
    case CALL_CREATE:
    case CALL_SET_ROLE:
        return "POST";
    case CALL_DELETE:
    case CALL_DELETE_USER:
        return "DELETE";
    case CALL_LIST:
    case CALL_RETRIEVE:
    case CALL_LIST_USERS:
    case CALL_RETRIEVE_USER:
        break;
    }
    return "GET";
}

static bool has_body(enum call call)
{
    return call == CALL_CREATE || call == CALL_SET_ROLE;
}

/* NULL when memory is short. */
static char *request_body(const struct request *request)
{
    if (request->call == CALL_SET_ROLE)
        return wire_set_role_body(request->role);
    return wire_create_body(request->email, request->role, request->projects);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* Reads a 2xx body into the answer. Returns 0 or a negative errno. */
static int read_body(const struct exchange *exchange, const struct http_answer *http,
                     struct answer *answer)
{
    switch (exchange->call) {
    case CALL_LIST:
        return wire_read_page(http->body, http->length, &answer->page, &answer->error);
    case CALL_CREATE:
    case CALL_RETRIEVE:
        return wire_read_invite(http->body, http->length, &answer->invite, &answer->error);
    case CALL_LIST_USERS:
        return wire_read_users_page(http->body, http->length, &answer->page, &answer->error);
    case CALL_RETRIEVE_USER:
    case CALL_SET_ROLE:
        return wire_read_user(http->body, http->length, &answer->user, &answer->error);
    case CALL_DELETE:
    case CALL_DELETE_USER:
        return wire_read_deletion(http->body, http->length, exchange->id, &answer->error);
    }
    return -EINVAL;
}

static bool says(const char *header, const char *word)
{
    return header && strcasecmp(header, word) == 0;
}

static enum answer_kind error_kind(const struct exchange *exchange, const struct http_answer *http)
{
    bool read = strcmp(request_method(exchange->call), "GET") == 0;
    if (http->status == 429)
        return ANSWER_LIMITED;
    if (http->status == 408 || http->status >= 500)
        return ANSWER_UNAVAILABLE;
    /* The service may ask for a repetition of what it refused; only a read is repeated blindly. */
    return read && says(http->should_retry, "true") ? ANSWER_UNAVAILABLE : ANSWER_REFUSED;
}

/* A service, or a gateway before it, may repeat what it was sent: the key goes no further. */
static void mask_key(const struct exchange *exchange, char *text, size_t length)
{
    const char *key = exchange->openai->key;
    size_t key_length = strlen(key);
    for (char *at = text; (at = memmem(at, length - (size_t)(at - text), key, key_length));)
        memset(at, '*', key_length);
}

/* What is wrong, as the service says it. */
static char *read_error(const struct exchange *exchange, const struct http_answer *http)
{
    _cleanup_free_ char *body = malloc(http->length + 1);
    if (!body)
        return NULL;
    if (http->length > 0)
        memcpy(body, http->body, http->length);
    mask_key(exchange, body, http->length);
    return wire_read_error(http->status, body, http->length);
}

/* A header for people, and for the ledger. libcurl caps its length. */
static char *header_text(const struct exchange *exchange, const char *header)
{
    char *text = header ? utf8_escape(header) : NULL;
    if (text)
        mask_key(exchange, text, strlen(text));
    return text;
}

static void read_answer(const struct exchange *exchange, const struct http_answer *http,
                        struct answer *answer)
{
    if (http->outcome != HTTP_ANSWERED) {
        answer->kind = http->outcome == HTTP_UNSENT ? ANSWER_UNSENT : ANSWER_LOST;
        answer->error = strdup(http->error);
    } else if (http->organization && !answer->organization) {
        /* Whose answer this is must not go unread. */
        answer->kind = ANSWER_LOST;
        answer->error = strdup(strerror(ENOMEM));
    } else if (http->status >= 200 && http->status < 300) {
        int r = read_body(exchange, http, answer);
        answer->kind = r == 0 ? ANSWER_OK : ANSWER_UNREADABLE;
        if (r < 0 && !answer->error)
            answer->error = strdup(strerror(-r));
    } else {
        answer->kind = error_kind(exchange, http);
        answer->error = read_error(exchange, http);
    }
}

static void on_answer(const struct http_answer *http, void *userdata)
{
    _cleanup_(exchange_free_pointer) struct exchange *exchange = userdata;
    if (!http)
        return;
    struct answer answer = {
        .call = exchange->call,
        .tag = exchange->tag,
        .status = http->status,
        .hopeless = says(http->should_retry, "false"),
        .request_id = header_text(exchange, http->request_id),
        .organization = header_text(exchange, http->organization),
    };
    if (http->date && date_parse_http(http->date, &answer.date) < 0)
        answer.date = 0;
    answer.retry_after = retry_after_parse(http->retry_after_ms, http->retry_after, answer.date);
    read_answer(exchange, http, &answer);
    exchange->answered(&answer, exchange->userdata);
}

static struct exchange *exchange_new(const struct openai *openai, const struct request *request)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->openai = openai;
    exchange->call = request->call;
    exchange->tag = request->tag;
    if (memory_set(&exchange->id, request->invite_id ? request->invite_id : request->user_id) < 0) {
        exchange_free(exchange);
        return NULL;
    }
    return exchange;
}

int openai_send(struct openai *openai, const struct request *request, openai_answered answered,
                void *userdata)
{
    _cleanup_(exchange_free_pointer) struct exchange *exchange = exchange_new(openai, request);
    _cleanup_free_ char *url = request_url(openai, request), *body = NULL;
    if (has_body(request->call))
        body = request_body(request);
    if (!exchange || !url || (has_body(request->call) && !body))
        return -ENOMEM;
    exchange->answered = answered;
    exchange->userdata = userdata;
    const struct http_request http = {
        .method = request_method(request->call),
        .url = url,
        .key = openai->key,
        .organization = openai->organization,
        .body = body,
    };
    int r = http_send(openai->http, &http, on_answer, exchange);
    if (r >= 0)
        exchange = NULL;
    return r;
}
