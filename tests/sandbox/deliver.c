/* Delivery of answers. */
#include "deliver.h"

#include "base.h"

#include <string.h>
#include <time.h>

#define DRIP_MS 200

static void add_date(struct reply *reply, int64_t now_ms)
{
    char text[64];
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc) > 0)
        reply_header(reply, "Date", text);
}

static void add_number(struct reply *reply, const char *name, long long number, const char *unit)
{
    _cleanup_free_ char *text = format("%lld%s", number, unit);
    reply_header(reply, name, text);
}

void deliver_headers(struct reply *reply, const struct sandbox *sandbox,
                     const struct request *request)
{
    const struct rate *rate = &sandbox->rate;
    if (!sandbox->no_date)
        add_date(reply, sandbox_now_ms(sandbox));
    reply_header(reply, "x-request-id", request->id);
    reply_header(reply, "openai-organization", sandbox->org.id);
    reply_header(reply, "openai-version", "2020-10-01");
    add_number(reply, "openai-processing-ms", monotonic_ms() - request->arrived_ms, "");
    if (!sandbox->rate_headers || rate->per_minute == 0)
        return;
    add_number(reply, "x-ratelimit-limit-requests", rate->per_minute, "");
    add_number(reply, "x-ratelimit-remaining-requests", (long long)rate->tokens, "");
    add_number(reply, "x-ratelimit-reset-requests", rate_full_ms(rate), "ms");
}

/* ---- bodies that are not sent at once ---- */

struct stream {
    const struct sandbox *sandbox;
    enum delivery delivery;
    char *body;
    size_t size, padding;
};

static ssize_t read_stream(void *data, uint64_t position, char *buffer, size_t room)
{
    struct stream *stream = data;
    if (stream->delivery == DELIVER_DRIP) {
        if (!sandbox_wait(stream->sandbox, DRIP_MS, -1))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        room = 1;
    }
    if (position < stream->padding) {
        size_t spaces = stream->padding - position;
        spaces = spaces < room ? spaces : room;
        memset(buffer, ' ', spaces);
        return (ssize_t)spaces;
    }
    size_t at = position - stream->padding;
    size_t end = stream->delivery == DELIVER_HALF ? stream->size / 2 : stream->size;
    if (at >= end)
        return stream->delivery == DELIVER_HALF ? MHD_CONTENT_READER_END_WITH_ERROR
                                                : MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = end - at < room ? end - at : room;
    memcpy(buffer, stream->body + at, n);
    return (ssize_t)n;
}

static void free_stream(void *data)
{
    struct stream *stream = data;
    free(stream->body);
    free(stream);
}

static struct MHD_Response *stream_response(struct reply *reply, const struct sandbox *sandbox)
{
    struct stream *stream = must(malloc(sizeof *stream));
    *stream = (struct stream){sandbox, reply->delivery, reply->body, reply->size, reply->padding};
    reply->body = NULL;
    return MHD_create_response_from_callback(reply->delivery == DELIVER_PADDED ? MHD_SIZE_UNKNOWN
                                                                               : stream->size,
                                             16384, read_stream, stream, free_stream);
}

static struct MHD_Response *make_response(struct reply *reply, const struct sandbox *sandbox)
{
    if (reply->delivery != DELIVER_WHOLE)
        return must(stream_response(reply, sandbox));
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_MUST_FREE);
    reply->body = NULL;
    return must(response);
}

enum MHD_Result deliver(struct reply *reply, const struct sandbox *sandbox,
                        struct MHD_Connection *connection)
{
    const char *name;
    json_t *value;
    if (reply->delivery == DELIVER_NOTHING || reply->delivery == DELIVER_NEVER)
        return MHD_NO;
    struct MHD_Response *response = make_response(reply, sandbox);
    MHD_add_response_header(response, "Content-Type", reply->type);
    if (reply->gzipped)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    json_object_foreach(reply->headers, name, value)
        MHD_add_response_header(response, name, json_string_value(value));
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}
