/* libmicrohttpd on one side, the routes on the other; one thread a connection. */
#include "server.h"

#include "base.h"
#include "control.h"
#include "deliver.h"
#include "distort.h"
#include "request.h"
#include "routes.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

/* ---- receiving ---- */

static void *begin(void *data, const char *target, struct MHD_Connection *connection)
{
    (void)data;
    (void)connection;
    struct request *request = request_new(target);
    request->arrived_ms = monotonic_ms();
    return request;
}

static void end(void *data, struct MHD_Connection *connection, void **context,
                enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct sandbox *sandbox = data;
    /* Its log entry may be shared with an answer that shows the log. */
    HOLD(&sandbox->lock);
    if (*context)
        request_free(*context);
    *context = NULL;
}

/* Numbers connections, so that tests can see which requests shared one. */
static void number_connection(void *data, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    static atomic_uint_least64_t connections;
    (void)data;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = (void *)(uintptr_t)++connections;
}

static enum MHD_Result add_header(void *data, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    struct request *request = data;
    _cleanup_free_ char *key = lower_case(name);
    const char *before = request_header(request, key);
    if (strcmp(key, "authorization") == 0) {
        if (value && strncasecmp(value, "Bearer ", 7) == 0 && !request->key)
            request->key = must(strdup(value + 7));
        return MHD_YES;
    }
    _cleanup_free_ char *joined = format("%s%s%s", before ? before : "", before ? ", " : "", value);
    /* A header is bytes; what is not UTF-8 cannot be logged as JSON and is shown as "?". */
    json_t *text = json_string(joined);
    json_object_set_new(request->headers, key, must(text ? text : json_string("?")));
    return MHD_YES;
}

static char *copy_argument(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value ? must(strdup(value)) : NULL;
}

/* Clients write an array as emails=A&emails=B, or with brackets. */
static enum MHD_Result add_email(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    struct request *request = data;
    bool is_email = strcmp(name, "emails") == 0 || strcmp(name, "emails[]") == 0;
    json_t *text = is_email && value ? json_string(value) : NULL;
    if (text)
        json_array_append_new(request->emails, text);
    return MHD_YES;
}

static void receive(struct request *request, struct MHD_Connection *connection, const char *path,
                    const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->connection = info ? (uint64_t)(uintptr_t)info->socket_context : 0;
    request->method = must(strdup(method));
    request->path = must(strdup(path));
    request->limit = copy_argument(connection, "limit");
    request->after = copy_argument(connection, "after");
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_email, request);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, request);
}

/* ---- logging ---- */

static json_t *text_or_null(const char *text)
{
    json_t *value = text ? json_string(text) : NULL;
    return value ? value : json_null();
}

static json_t *body_for_log(const struct request *request)
{
    return request->json ? json_deep_copy(request->json) : text_or_null(request->body);
}

static void log_arrival(struct sandbox *sandbox, struct request *request)
{
    double now = (double)sandbox_now_ms(sandbox) / 1000.0;
    json_t *entry = must(json_pack(
        "{s:f, s:s, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:n}", "time", now,
        "method", request->method, "path", text_or_null(request->raw_path), "query",
        text_or_null(request->raw_query), "call", call_words[request->call], "status", 0, "email",
        text_or_null(routes_email(sandbox, request)), "invite_id", text_or_null(request->invite_id),
        "user_id", text_or_null(request->user_id), "body", body_for_log(request), "headers",
        json_deep_copy(request->headers), "connection", (json_int_t)request->connection,
        "request_id", request->id, "fault"));
    request->entry = log_request(&sandbox->log, entry);
}

/* ---- answering ---- */

static int client_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* Judges the request: a refusal, or NULL and the fault that it meets (may be NULL as well). */
static struct reply *judge(struct sandbox *sandbox, struct request *request,
                           struct fault **ret_fault)
{
    HOLD(&sandbox->lock);
    struct reply *refusal = routes_gate(sandbox, request);
    struct fault *fault = refusal ? NULL : routes_fault(sandbox, request);
    if (fault) {
        json_object_set_new(request->entry, "fault", text_or_null(fault->spec));
        request->repeat_page = fault->action == DO_REPEAT_CURSOR;
    }
    *ret_fault = fault;
    return refusal;
}

static struct reply *carry_out(struct sandbox *sandbox, struct request *request)
{
    HOLD(&sandbox->lock);
    return routes_answer(sandbox, request);
}

static void drop_fault(struct fault **fault)
{
    if (*fault)
        fault_drop(*fault);
}

/* An API request from its arrival to what is to be delivered. */
static struct reply *answer_api(struct sandbox *sandbox, struct request *request)
{
    _cleanup_(drop_fault) struct fault *fault = NULL;
    long long latency_ms, wait_ms = 0;
    {
        HOLD(&sandbox->lock);
        log_arrival(sandbox, request);
        latency_ms = sandbox->latency_ms;
    }
    sandbox_wait(sandbox, latency_ms, -1);
    struct reply *reply = judge(sandbox, request, &fault);
    if (reply || (fault && (reply = distort_before(fault, &wait_ms))))
        return reply;
    sandbox_wait(sandbox, wait_ms, -1);
    reply = carry_out(sandbox, request);
    if (fault) {
        distort_after(fault, &reply, &wait_ms);
        sandbox_wait(sandbox, wait_ms, -1);
    }
    return reply;
}

static enum MHD_Result serve_api(struct sandbox *sandbox, struct request *request,
                                 struct MHD_Connection *connection)
{
    _cleanup_reply_ struct reply *reply = answer_api(sandbox, request);
    reply_write(reply);
    if (reply->delivery != DELIVER_PADDED)
        reply_compress(reply, request_header(request, "accept-encoding"));
    {
        HOLD(&sandbox->lock);
        deliver_headers(reply, sandbox, request);
        json_object_set_new(request->entry, "status", must(json_integer(reply->status)));
    }
    if (reply->delivery == DELIVER_NEVER)
        sandbox_wait(sandbox, -1, client_fd(connection));
    return deliver(reply, sandbox, connection);
}

static enum MHD_Result serve_control(struct sandbox *sandbox, const struct request *request,
                                     struct MHD_Connection *connection)
{
    _cleanup_reply_ struct reply *reply = NULL;
    {
        HOLD(&sandbox->lock);
        reply = control_answer(sandbox, request);
    }
    return deliver(reply, sandbox, connection);
}

static enum MHD_Result handle(void *data, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    (void)version;
    struct sandbox *sandbox = data;
    struct request *request = *context;
    if (!request->method) {
        receive(request, connection, path, method);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        request_add_body(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    request_read(request);
    if (strncmp(path, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) == 0)
        return serve_control(sandbox, request, connection);
    return serve_api(sandbox, request, connection);
}

/* ---- life ---- */

struct MHD_Daemon *server_start(struct sandbox *sandbox, const struct server_options *options,
                                uint16_t *ret_port)
{
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_AUTO | MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    if (options->address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    if (options->certificate)
        flags |= MHD_USE_TLS;
    struct MHD_Daemon *server = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, sandbox, MHD_OPTION_SOCK_ADDR, &options->address,
        MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, end, sandbox,
        MHD_OPTION_NOTIFY_CONNECTION, number_connection, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE,
        1u, MHD_OPTION_ARRAY, options->certificate ? tls : none, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        server ? MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    *ret_port = info ? info->port : 0;
    return server;
}

void server_stop(struct MHD_Daemon *server, struct sandbox *sandbox)
{
    eventfd_write(sandbox->stop_fd, 1);
    MHD_stop_daemon(server);
}
