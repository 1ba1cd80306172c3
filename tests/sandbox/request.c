/* Taking requests apart. */
#include "request.h"

#include "base.h"

#include <string.h>

#define BODY_MAX   (1024 * 1024)
#define COLLECTION "/v1/organization/invites"

const char *const call_words[] = {"list", "create", "retrieve", "delete", "other"};

struct request *request_new(const char *target)
{
    struct request *request = must(calloc(1, sizeof *request));
    const char *query = strchr(target, '?');
    size_t length = query ? (size_t)(query - target) : strlen(target);
    request->raw_path = must(strndup(target, length));
    request->raw_query = query ? must(strdup(query + 1)) : NULL;
    request->headers = must(json_object());
    strcpy(request->id, "req_");
    random_text(request->id + 4, 32, "0123456789abcdef");
    return request;
}

void request_free(struct request *request)
{
    free(request->method);
    free(request->path);
    free(request->raw_path);
    free(request->raw_query);
    free(request->limit);
    free(request->after);
    free(request->key);
    free(request->body);
    free(request->invite_id);
    json_decref(request->headers);
    json_decref(request->json);
    json_decref(request->entry);
    free(request);
}

void request_add_body(struct request *request, const char *data, size_t size)
{
    if (size > BODY_MAX - request->size) {
        request->too_big = true;
        return;
    }
    request->body = must(realloc(request->body, request->size + size + 1));
    memcpy(request->body + request->size, data, size);
    request->size += size;
    request->body[request->size] = '\0';
}

static enum call classify(const struct request *request)
{
    bool get = strcmp(request->method, "GET") == 0;
    if (request->invite_id)
        return get                                      ? CALL_RETRIEVE
               : strcmp(request->method, "DELETE") == 0 ? CALL_DELETE
                                                        : CALL_OTHER;
    if (strcmp(request->path, COLLECTION) != 0)
        return CALL_OTHER;
    return get ? CALL_LIST : strcmp(request->method, "POST") == 0 ? CALL_CREATE : CALL_OTHER;
}

void request_read(struct request *request)
{
    const char *id = request->path + strlen(COLLECTION "/");
    if (strncmp(request->path, COLLECTION "/", strlen(COLLECTION "/")) == 0 && *id &&
        !strchr(id, '/'))
        request->invite_id = must(strdup(id));
    if (request->body)
        request->json = json_loadb(request->body, request->size, JSON_REJECT_DUPLICATES, NULL);
    request->call = classify(request);
}

const char *request_header(const struct request *request, const char *name)
{
    return json_string_value(json_object_get(request->headers, name));
}

const char *request_email(const struct request *request)
{
    return json_string_value(json_object_get(request->json, "email"));
}
