/* Pages. */
#include "paging.h"

#include "base.h"

#include <string.h>

#define INVALID "invalid_request_error"

static struct reply *read_limit(const struct request *request, long long *ret_limit)
{
    *ret_limit = 20;
    if (!request->limit || read_number(request->limit, 1, 100, ret_limit))
        return NULL;
    _cleanup_free_ char *message = format(
        "Invalid value for 'limit': expected an integer from 1 to 100, but got '%s' instead.",
        request->limit);
    return reply_error(400, INVALID, message, "limit", "invalid_value");
}

/* Where the item of this id stands, counted from 0; the count if it is not there. */
static size_t find_cursor(const struct listing *listing, const char *id)
{
    size_t at = 0;
    while (at < listing->count && strcmp(listing->id(listing->items[at]), id) != 0)
        at++;
    return at;
}

static struct reply *answer_items(const struct sandbox *sandbox, const struct listing *listing,
                                  size_t start, size_t count, bool has_more)
{
    json_auto_t *data = must(json_array());
    int64_t now_ms = sandbox_now_ms(sandbox);
    void **items = listing->items + start;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(data, listing->show(&sandbox->org, items[i], now_ms));
    return reply_json(200, json_pack("{s:s, s:O, s:s?, s:s?, s:b}", "object", "list", "data", data,
                                     "first_id", count ? listing->id(items[0]) : NULL, "last_id",
                                     count ? listing->id(items[count - 1]) : NULL, "has_more",
                                     has_more));
}

static struct reply *answer_dead_cursor(const struct sandbox *sandbox,
                                        const struct request *request,
                                        const struct listing *listing)
{
    _cleanup_free_ char *message =
        format("No %s found with id '%s'.", listing->what, request->after);
    if (sandbox->dead_cursor == DEAD_EMPTY)
        return answer_items(sandbox, listing, 0, 0, false);
    return reply_error(sandbox->dead_cursor == DEAD_400 ? 400 : 404, INVALID, message, "after",
                       NULL);
}

struct reply *paging_answer(const struct sandbox *sandbox, const struct request *request,
                            const struct listing *listing)
{
    long long limit;
    struct reply *refusal = read_limit(request, &limit);
    if (refusal)
        return refusal;
    size_t start = 0, size = (size_t)limit;
    if (request->after) {
        size_t cursor = find_cursor(listing, request->after);
        if (cursor < listing->count)
            start = cursor + 1;
        else if (sandbox->dead_cursor != DEAD_TOP)
            return answer_dead_cursor(sandbox, request, listing);
    }
    if (request->repeat_page) {
        /* Ends at the cursor where there is one, so that its last_id is the cursor again. */
        size_t end = start ? start : size < listing->count ? size : listing->count;
        start = end > size ? end - size : 0;
        return answer_items(sandbox, listing, start, end - start, true);
    }
    size_t left = listing->count - start;
    return answer_items(sandbox, listing, start, left < size ? left : size, left > size);
}

long long paging_page(const struct request *request, const struct listing *listing)
{
    long long limit = 20;
    if (request->limit && !read_number(request->limit, 1, 100, &limit))
        return 0;
    if (!request->after)
        return 1;
    size_t cursor = find_cursor(listing, request->after);
    return cursor == listing->count ? 0 : (long long)cursor / limit + 2;
}
