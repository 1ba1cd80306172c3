/* The curl multi handle on sd-event. */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/memory.h"

#define CONNECT_TIMEOUT_MS 10000L
/* Headers of an answer that anybody asks for. */
#define HEADERS_MAX 6
#define USER_AGENT  "inviterd/" INVITERD_VERSION

struct transfer {
    struct http *http;
    struct transfer *previous, *next;
    CURL *easy;
    struct curl_slist *headers;
    char *request_body;
    size_t request_sent;
    char *body;
    size_t length, capacity;
    bool too_large, no_memory;
    char *header_values[HEADERS_MAX];
    size_t header_count;

    char error[CURL_ERROR_SIZE];
    http_answered answered;
    void *userdata;
};

struct http {
    sd_event *event;
    CURLM *multi;
    sd_event_source *timer;
    struct http_options options; /* with texts of its own */
    struct transfer *transfers;
    bool closing;
};

/* ---- memory -------------------------------------------------------------------------------- */

/*
 * What libcurl frees is overwritten first: requests have the key in them. So are answers, since a
 * service, or a gateway before it, may repeat what it was sent.
 */
static void wiping_free(void *block)
{
    if (block)
        explicit_bzero(block, malloc_usable_size(block));
    free(block);
}

static void *wiping_realloc(void *block, size_t size)
{
    size_t old = block ? malloc_usable_size(block) : 0;
    void *grown = malloc(size);
    if (!grown)
        return NULL;
    if (block)
        memcpy(grown, block, old < size ? old : size);
    wiping_free(block);
    return grown;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void transfer_free(struct transfer *transfer)
{
    if (transfer->easy) {
        curl_multi_remove_handle(transfer->http->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    /* curl_slist keeps copies: wipe the one that holds the key. */
    for (struct curl_slist *header = transfer->headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(transfer->headers);
    for (size_t i = 0; i < transfer->header_count; i++)
        wiping_free(transfer->header_values[i]);
    free(transfer->request_body);
    wiping_free(transfer->body);
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else if (transfer->http->transfers == transfer)
        transfer->http->transfers = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
    free(transfer);
}
DEFINE_CLEANUP(struct transfer *, transfer_free)

/* What the header says, as a copy that the transfer owns: curl keeps it only until the next one. */
static const char *header(struct transfer *transfer, const char *name)
{
    struct curl_header *found;
    if (transfer->header_count == HEADERS_MAX ||
        curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return NULL;
    char *copy = strdup(found->value);
    transfer->no_memory |= !copy;
    return transfer->header_values[transfer->header_count++] = copy;
}

/* Whether the failure came before any byte of the request could leave. */
static bool is_unsent(const struct transfer *transfer, CURLcode code)
{
    /*
     * Once a body was handed over, it may have arrived: when a reused connection dies, libcurl
     * connects anew, and what it then reports is the failure of that second connection.
     */
    if (transfer->request_sent > 0)
        return false;
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        break;
    }
    curl_off_t started = 0;
    return code == CURLE_OPERATION_TIMEDOUT &&
           curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &started) == CURLE_OK &&
           started == 0;
}

static const char *failure(const struct transfer *transfer, CURLcode code)
{
    if (transfer->too_large)
        return "the answer is larger than 16 MiB";
    /* What libcurl says of our own refusal to send a body twice would tell people nothing. */
    if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_GOT_NOTHING)
        return "the connection was lost before an answer";
    return transfer->error[0] ? transfer->error : curl_easy_strerror(code);
}

static void finish(struct transfer *transfer, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    struct http_answer answer = {
        .status = (int)status,
        .body = transfer->body ? transfer->body : "",
        .length = transfer->length,
        .request_id = header(transfer, "x-request-id"),
        .organization = header(transfer, "openai-organization"),
        .retry_after = header(transfer, "retry-after"),
        .retry_after_ms = header(transfer, "retry-after-ms"),
        .should_retry = header(transfer, "x-should-retry"),
        .date = header(transfer, "date"),
    };
    /* An error status stands even where its body was cut; a success without its body does not. */
    if (code != CURLE_OK && status < 300) {
        answer.outcome = is_unsent(transfer, code) ? HTTP_UNSENT : HTTP_LOST;
        answer.error = failure(transfer, code);
    }
    /* A header that went unread may say to wait, or that this is another organisation. */
    if (transfer->no_memory) {
        answer.outcome = HTTP_LOST;
        answer.error = "out of memory";
    }
    transfer->answered(&answer, transfer->userdata);
    transfer_free(transfer);
}

static void drain(struct http *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        struct transfer *transfer = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        finish(transfer, code);
    }
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    struct http *http = userdata;
    int running, flags = 0;
    if (events & EPOLLIN)
        flags |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        flags |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(http->multi, fd, flags, &running);
    drain(http);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct http *http = userdata;
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(http);
    return 0;
}

/* curl says what it wants to hear of a socket. A failure here fails requests by their time-out. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp)
{
    (void)easy;
    struct http *http = userdata;
    sd_event_source *source = socketp;
    if (what == CURL_POLL_REMOVE) {
        if (source) {
            sd_event_source_disable_unref(source);
            if (!http->closing)
                curl_multi_assign(http->multi, fd, NULL);
        }
        return 0;
    }
    uint32_t events = 0;
    if (what & CURL_POLL_IN)
        events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        events |= EPOLLOUT;
    if (source) {
        sd_event_source_set_io_events(source, events);
    } else if (sd_event_add_io(http->event, &source, fd, events, on_io, http) >= 0) {
        curl_multi_assign(http->multi, fd, source);
    }
    return 0;
}

/* libcurl must not be called from here: only set the timer. */
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *userdata)
{
    (void)multi;
    struct http *http = userdata;
    if (timeout_ms < 0) {
        sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
    } else {
        sd_event_source_set_time_relative(http->timer, (uint64_t)timeout_ms * 1000);
        sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
    }
    return 0;
}

/* ---- requests ------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    size_t length = size * count;
    if (length > HTTP_BODY_MAX - transfer->length) {
        transfer->too_large = true;
        return 0;
    }
    if (transfer->length + length + 1 > transfer->capacity) {
        size_t capacity = 2 * (transfer->length + length + 1);
        char *grown = wiping_realloc(transfer->body, capacity);
        if (!grown) {
            transfer->no_memory = true;
            return 0;
        }
        transfer->body = grown;
        transfer->capacity = capacity;
    }
    memcpy(transfer->body + transfer->length, data, length);
    transfer->length += length;
    transfer->body[transfer->length] = '\0';
    return length;
}

static size_t on_request_body(char *buffer, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    size_t left = strlen(transfer->request_body) - transfer->request_sent, room = size * count;
    size_t length = left < room ? left : room;
    memcpy(buffer, transfer->request_body + transfer->request_sent, length);
    transfer->request_sent += length;
    return length;
}

/*
 * libcurl repeats a request by itself when a reused connection dies without an answer. For a
 * create that would be an invitation sent twice: a body that cannot be rewound forbids it.
 */
static int on_rewind(void *userdata, curl_off_t offset, int origin)
{
    (void)offset;
    (void)origin;
    const struct transfer *transfer = userdata;
    return transfer->request_sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* The three in a row. Not by printf: that would leave pieces of the key in buffers of its own. */
static char *join(const char *first, const char *second, const char *third)
{
    char *text = malloc(strlen(first) + strlen(second) + strlen(third) + 1);
    if (text)
        stpcpy(stpcpy(stpcpy(text, first), second), third);
    return text;
}

static int add_header(struct transfer *transfer, const char *name, const char *value)
{
    char *text = join(name, *value ? ": " : ":", value);
    if (!text)
        return -ENOMEM;
    struct curl_slist *grown = curl_slist_append(transfer->headers, text);
    memory_wipe(text);
    if (!grown)
        return -ENOMEM;
    transfer->headers = grown;
    return 0;
}

static int set_headers(struct transfer *transfer, const struct http_request *request)
{
    _cleanup_(memory_wipe_pointer) char *bearer = join("Bearer ", request->key, "");
    int r = bearer ? add_header(transfer, "Authorization", bearer) : -ENOMEM;
    if (r == 0)
        r = add_header(transfer, "Accept", "application/json");
    if (r == 0 && request->organization && *request->organization)
        r = add_header(transfer, "OpenAI-Organization", request->organization);
    if (r == 0 && request->body)
        r = add_header(transfer, "Content-Type", "application/json");
    if (r == 0 && request->body)
        r = add_header(transfer, "Expect", "");
    if (r == 0)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return r;
}

static int set_body(struct transfer *transfer, const char *body)
{
    transfer->request_body = strdup(body);
    if (!transfer->request_body)
        return -ENOMEM;
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_request_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    return 0;
}

/* Where the request may go, and by what way: one protocol, no redirect, no proxy but ours. */
static void set_route(const struct http *http, CURL *easy, const char *url)
{
    const struct http_options *options = &http->options;
    bool tls = strncmp(url, "https:", 6) == 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    if (options->ca_file && *options->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

static void set_manners(const struct http *http, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    long timeout_ms = (long)(http->options.timeout_usec / 1000);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

static int prepare(struct transfer *transfer, const struct http_request *request)
{
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        return -ENOMEM;
    set_route(transfer->http, transfer->easy, request->url);
    set_manners(transfer->http, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, request->method);
    int r = request->body ? set_body(transfer, request->body) : 0;
    return r < 0 ? r : set_headers(transfer, request);
}

int http_send(struct http *http, const struct http_request *request, http_answered answered,
              void *userdata)
{
    _cleanup_(transfer_free_pointer) struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return -ENOMEM;
    transfer->http = http;
    transfer->answered = answered;
    transfer->userdata = userdata;
    int r = prepare(transfer, request);
    if (r < 0)
        return r;
    if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK)
        return -ENOMEM;
    transfer->next = http->transfers;
    if (http->transfers)
        http->transfers->previous = transfer;
    http->transfers = TAKE(transfer);
    return 0;
}

/* ---- the client ---------------------------------------------------------------------------- */

static int set_options(struct http *http, const struct http_options *options)
{
    http->options = (struct http_options){.timeout_usec = options->timeout_usec,
                                          .connections = options->connections};
    char *proxy = NULL, *ca_file = NULL;
    if (memory_set(&proxy, options->proxy) < 0 || memory_set(&ca_file, options->ca_file) < 0) {
        free(proxy);
        return -ENOMEM;
    }
    http->options.proxy = proxy;
    http->options.ca_file = ca_file;
    return 0;
}

static int set_multi(struct http *http)
{
    http->multi = curl_multi_init();
    if (!http->multi)
        return -ENOMEM;
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)http->options.connections);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return 0;
}

int http_new(sd_event *event, const struct http_options *options, struct http **ret)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup,
                             calloc) != CURLE_OK)
        return -ENOMEM;
    _cleanup_(http_free_pointer) struct http *http = calloc(1, sizeof *http);
    if (!http)
        return -ENOMEM;
    http->event = sd_event_ref(event);
    int r = set_options(http, options);
    /* An accuracy of 0 would mean 250 ms to sd-event. */
    if (r >= 0)
        r = sd_event_add_time_relative(event, &http->timer, CLOCK_MONOTONIC, 0, 1, on_timer, http);
    if (r >= 0)
        r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = set_multi(http);
    if (r < 0)
        return r;
    *ret = TAKE(http);
    return 0;
}

/* Answers what is in flight; NULL says that it was cancelled. */
static void answer_all(struct http *http, const struct http_answer *answer)
{
    for (struct transfer *transfer = http->transfers, *next; transfer; transfer = next) {
        next = transfer->next;
        transfer->answered(answer, transfer->userdata);
        transfer_free(transfer);
    }
}

void http_cancel(struct http *http)
{
    answer_all(http, NULL);
}

void http_give_up(struct http *http, const char *error)
{
    const struct http_answer answer = {.outcome = HTTP_LOST, .error = error};
    answer_all(http, &answer);
}

void http_free(struct http *http)
{
    http_cancel(http);
    http->closing = true;
    if (http->multi)
        curl_multi_cleanup(http->multi);
    sd_event_source_disable_unref(http->timer);
    sd_event_unref(http->event);
    free((char *)http->options.proxy);
    free((char *)http->options.ca_file);
    free(http);
}
