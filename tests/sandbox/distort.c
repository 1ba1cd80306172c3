/* The actions of faults. */
#include "distort.h"

#include "base.h"

#include <string.h>

static const char html[] = "<html>\r\n<head><title>%lld</title></head>\r\n<body>\r\n"
                           "<center><h1>%lld</h1></center>\r\n</body>\r\n</html>\r\n";

static const char *error_type(long long status)
{
    return status == 429 ? "requests" : status >= 500 ? "server_error" : "invalid_request_error";
}

static struct reply *envelope(const struct fault *fault)
{
    const char *kind = fault->text[KEY_ENVELOPE];
    unsigned status = (unsigned)fault->number[KEY_STATUS];
    if (fault->text[KEY_BODY])
        return reply_text(status, "application/json", must(strdup(fault->text[KEY_BODY])));
    if (!kind || strcmp(kind, "object") == 0)
        return reply_error(status, error_type(status), "The sandbox was told to fail.", NULL,
                           status == 429   ? "rate_limit_exceeded"
                           : status == 401 ? "invalid_api_key"
                                           : NULL);
    if (strcmp(kind, "string") == 0)
        return reply_json(status, json_pack("{s:s}", "error", "The sandbox was told to fail."));
    if (strcmp(kind, "html") == 0)
        return reply_text(status, "text/html", format(html, (long long)status, (long long)status));
    return reply_text(status, "application/json", must(strdup("")));
}

static struct reply *status_reply(const struct fault *fault)
{
    static const struct {
        enum fault_key key;
        const char *header;
    } headers[] = {{KEY_RETRY_AFTER, "retry-after"},
                   {KEY_RETRY_AFTER_MS, "retry-after-ms"},
                   {KEY_SHOULD_RETRY, "x-should-retry"}};
    struct reply *reply = envelope(fault);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (fault->text[headers[i].key])
            reply_header(reply, headers[i].header, fault->text[headers[i].key]);
    return reply;
}

static struct reply *redirect(const struct fault *fault)
{
    const char *to = fault->text[KEY_TO];
    long long status = fault->number[KEY_STATUS];
    struct reply *reply = reply_json(status ? (unsigned)status : 302, json_object());
    reply_header(reply, "Location", to ? to : "/v1/organization/elsewhere");
    return reply;
}

struct reply *distort_before(const struct fault *fault, long long *ret_wait_ms)
{
    *ret_wait_ms = fault->action == DO_SLOW ? fault->number[KEY_MS] : 0;
    switch (fault->action) {
    case DO_STATUS:
        return status_reply(fault);
    case DO_CUT:
        return reply_silent(DELIVER_NOTHING);
    case DO_HANG:
        return reply_silent(DELIVER_NEVER);
    case DO_REDIRECT:
        return redirect(fault);
    default:
        return NULL;
    }
}

static void replace(struct reply **reply, struct reply *other)
{
    reply_free(*reply);
    *reply = other;
}

static void replace_body(struct reply *reply, char *body)
{
    free(reply->body);
    reply->body = body;
    reply->size = strlen(body);
}

static void wrong_types(json_t *object)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(object, "data"), i, item) wrong_types(item);
    if (json_object_get(object, "user"))
        wrong_types(json_object_get(object, "user"));
    if (json_object_get(object, "id"))
        json_object_set_new(object, "id", must(json_integer(7)));
    if (json_object_get(object, "has_more"))
        json_object_set_new(object, "has_more", must(json_string("yes")));
    if (json_object_get(object, "created_at"))
        json_object_set_new(object, "created_at", must(json_string("yesterday")));
    if (json_object_get(object, "added_at"))
        json_object_set_new(object, "added_at", must(json_string("yesterday")));
}

/* Says each thing twice; the false one comes last, which most parsers believe. */
static void duplicate_keys(struct reply *reply)
{
    bool list = json_object_get(reply->json, "data") != NULL;
    reply_write(reply);
    if (reply->size < 2)
        return;
    replace_body(reply,
                 format("%.*s,%s}", (int)reply->size - 1, reply->body,
                        list ? "\"data\":[],\"has_more\":false" : "\"id\":\"invite-duplicate\""));
}

static void nest(struct reply *reply, long long asked)
{
    size_t depth = asked ? (size_t)asked : 100000;
    _cleanup_free_ char *open = must(malloc(depth + 1)), *close = must(malloc(depth + 1));
    memset(open, '[', depth);
    memset(close, ']', depth);
    open[depth] = close[depth] = '\0';
    replace_body(reply,
                 format("{\"object\":\"list\",\"data\":%s%s,\"has_more\":false}", open, close));
}

static void empty_page(json_t *list)
{
    json_object_set_new(list, "data", must(json_array()));
    json_object_set_new(list, "first_id", json_null());
    json_object_set_new(list, "last_id", json_null());
    json_object_set_new(list, "has_more", json_false());
}

/* Changes what a good answer says; answers that refuse are left as they are. */
static void distort_content(const struct fault *fault, struct reply *reply)
{
    switch (fault->action) {
    case DO_NO_HAS_MORE:
        json_object_del(reply->json, "has_more");
        break;
    case DO_NO_DATA:
        json_object_del(reply->json, "data");
        break;
    case DO_EMPTY_PAGE:
        empty_page(reply->json);
        break;
    case DO_WRONG_TYPES:
        wrong_types(reply->json);
        break;
    case DO_DUPLICATE_KEYS:
        duplicate_keys(reply);
        break;
    case DO_DEEP:
        nest(reply, fault->number[KEY_DEPTH]);
        break;
    default:
        break;
    }
}

static void distort_delivery(const struct fault *fault, struct reply *reply)
{
    long long bytes = fault->number[KEY_BYTES];
    reply_write(reply);
    switch (fault->action) {
    case DO_CUT_BODY:
        reply->delivery = DELIVER_HALF;
        break;
    case DO_DRIP:
        reply->delivery = DELIVER_DRIP;
        break;
    case DO_CUT_JSON:
        reply->size /= 2;
        break;
    case DO_BIG:
        reply->delivery = DELIVER_PADDED;
        reply->padding = bytes ? (size_t)bytes : 64u * 1024 * 1024;
        reply->padding = reply->padding > reply->size ? reply->padding - reply->size : 0;
        break;
    default:
        break;
    }
}

void distort_after(const struct fault *fault, struct reply **reply, long long *ret_wait_ms)
{
    *ret_wait_ms = fault->action == DO_SLOW_AFTER ? fault->number[KEY_MS] : 0;
    if (fault->action == DO_STATUS_AFTER)
        replace(reply, status_reply(fault));
    else if (fault->action == DO_CUT_AFTER)
        replace(reply, reply_silent(DELIVER_NOTHING));
    else if (fault->action == DO_HANG_AFTER)
        replace(reply, reply_silent(DELIVER_NEVER));
    else if (fault->action == DO_GARBAGE)
        replace(reply, reply_text(200, "application/json", must(strdup("\x01 this is not JSON"))));
    else if ((*reply)->status == 200)
        distort_content(fault, *reply);
    if ((*reply)->delivery == DELIVER_WHOLE)
        distort_delivery(fault, *reply);
}
