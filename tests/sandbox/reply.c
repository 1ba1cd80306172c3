/* Building answers, and compressing them. */
#include "reply.h"

#include "base.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

static struct reply *reply_new(unsigned status, const char *type)
{
    struct reply *reply = must(calloc(1, sizeof *reply));
    reply->status = status;
    reply->type = type;
    reply->headers = must(json_object());
    return reply;
}

struct reply *reply_json(unsigned status, json_t *json)
{
    struct reply *reply = reply_new(status, "application/json");
    reply->json = must(json);
    return reply;
}

struct reply *reply_text(unsigned status, const char *type, char *body)
{
    struct reply *reply = reply_new(status, type);
    reply->body = must(body);
    reply->size = strlen(body);
    return reply;
}

struct reply *reply_error(unsigned status, const char *type, const char *message, const char *param,
                          const char *code)
{
    return reply_json(status, json_pack("{s:{s:s, s:s, s:s?, s:s?}}", "error", "message", message,
                                        "type", type, "param", param, "code", code));
}

struct reply *reply_silent(enum delivery delivery)
{
    struct reply *reply = reply_new(0, "");
    reply->delivery = delivery;
    return reply;
}

void reply_free(struct reply *reply)
{
    json_decref(reply->json);
    json_decref(reply->headers);
    free(reply->body);
    free(reply);
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
    json_object_set_new(reply->headers, name, must(json_string(value)));
}

void reply_write(struct reply *reply)
{
    if (reply->body || !reply->json)
        return;
    reply->body = must(json_dumps(reply->json, JSON_COMPACT | JSON_ENCODE_ANY));
    reply->size = strlen(reply->body);
}

/* Whether an Accept-Encoding value lists gzip (or *) without forbidding it by q=0. */
static bool allows_gzip(const char *accept)
{
    _cleanup_free_ char *copy = lower_case(accept);
    char *rest = copy, *item;
    while ((item = strsep(&rest, ","))) {
        char *parameters = item, *coding = strsep(&parameters, ";");
        coding += strspn(coding, " \t");
        coding[strcspn(coding, " \t")] = '\0';
        if (strcmp(coding, "gzip") != 0 && strcmp(coding, "*") != 0)
            continue;
        const char *quality = parameters ? strstr(parameters, "q=") : NULL;
        return !quality || strtod(quality + 2, NULL) > 0;
    }
    return false;
}

void reply_compress(struct reply *reply, const char *accept_encoding)
{
    if (reply->size <= 1024 || !accept_encoding || !allows_gzip(accept_encoding))
        return;
    z_stream stream = {0};
    /* 15 bits of window, and 16 to have a gzip header. */
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        must(NULL);
    uLong bound = deflateBound(&stream, reply->size);
    Bytef *packed = must(malloc(bound));
    stream.next_in = (Bytef *)reply->body;
    stream.avail_in = (uInt)reply->size;
    stream.next_out = packed;
    stream.avail_out = (uInt)bound;
    int result = deflate(&stream, Z_FINISH);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    if (result != Z_STREAM_END) {
        free(packed);
        return;
    }
    free(reply->body);
    reply->body = (char *)packed;
    reply->size = size;
    reply->gzipped = true;
}
