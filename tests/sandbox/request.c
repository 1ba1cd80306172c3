/* Taking requests apart. */
#include "request.h"

#include "base.h"

#include <string.h>

#define BODY_MAX (1024 * 1024)
#define INVITES  "/v1/organization/invites"
#define USERS    "/v1/organization/users"

const char *const call_words[CALL_COUNT] = {
    [CALL_LIST] = "list",
    [CALL_CREATE] = "create",
    [CALL_RETRIEVE] = "retrieve",
    [CALL_DELETE] = "delete",
    [CALL_LIST_USERS] = "list-users",
    [CALL_RETRIEVE_USER] = "retrieve-user",
    [CALL_SET_ROLE] = "set-role",
    [CALL_DELETE_USER] = "delete-user",
    [CALL_OTHER] = "other",
};

struct request *request_new(const char *target)
{
    struct request *request = must(calloc(1, sizeof *request));
    const char *query = strchr(target, '?');
    size_t length = query ? (size_t)(query - target) : strlen(target);
    request->raw_path = must(strndup(target, length));
    request->raw_query = query ? must(strdup(query + 1)) : NULL;
    request->headers = must(json_object());
    request->emails = must(json_array());
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
    free(request->user_id);
    json_decref(request->emails);
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

/* The call by path and method; OTHER where no row fits. */
static enum call classify(const struct request *request)
{
    static const struct {
        const char *path; /* NULL: below a collection */
        bool users;
        const char *method;
        enum call call;
    } rows[] = {
        {INVITES, false, "GET", CALL_LIST},    {INVITES, false, "POST", CALL_CREATE},
        {NULL, false, "GET", CALL_RETRIEVE},   {NULL, false, "DELETE", CALL_DELETE},
        {USERS, true, "GET", CALL_LIST_USERS}, {NULL, true, "GET", CALL_RETRIEVE_USER},
        {NULL, true, "POST", CALL_SET_ROLE},   {NULL, true, "DELETE", CALL_DELETE_USER},
    };
    const char *id = request->invite_id ? request->invite_id : request->user_id;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].users == request->of_users && strcmp(rows[i].method, request->method) == 0 &&
            (rows[i].path ? strcmp(rows[i].path, request->path) == 0 : id != NULL))
            return rows[i].call;
    return CALL_OTHER;
}

/* What follows the path of a collection and a slash, if that is one name; NULL if not. */
static char *id_below(const char *path, const char *collection)
{
    size_t length = strlen(collection);
    if (strncmp(path, collection, length) != 0 || path[length] != '/')
        return NULL;
    const char *id = path + length + 1;
    return *id && !strchr(id, '/') ? must(strdup(id)) : NULL;
}

void request_read(struct request *request)
{
    request->invite_id = id_below(request->path, INVITES);
    request->user_id = id_below(request->path, USERS);
    request->of_users = request->user_id || strcmp(request->path, USERS) == 0;
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
