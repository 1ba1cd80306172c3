/* What other people do to users. */
#include "control_users.h"

#include "base.h"
#include "control.h"
#include "userfile.h"

struct reply *control_add_user(struct sandbox *sandbox, const struct request *request)
{
    struct user *user;
    _cleanup_free_ char *wrong =
        userfile_add(&sandbox->org, request->json, "user", sandbox_now_ms(sandbox), &user);
    return wrong ? control_refuse(400, wrong) : reply_json(200, user_show(user, SHAPE_FULL));
}

/* The user that the body names by "id" or "email"; NULL with a refusal if there is none. */
static struct user *named_user(const struct sandbox *sandbox, const struct request *request,
                               struct reply **ret_refusal)
{
    const char *id = json_string_value(json_object_get(request->json, "id"));
    const char *email = request_email(request);
    struct user *user = NULL;
    if (!id == !email) {
        *ret_refusal = control_refuse(400, "one of \"id\" and \"email\" is needed");
        return NULL;
    }
    user = id ? org_find_user(&sandbox->org, id) : org_find_member(&sandbox->org, email);
    if (!user)
        *ret_refusal = control_refuse(404, "no such user");
    return user;
}

struct reply *control_change_user(struct sandbox *sandbox, const struct request *request)
{
    struct reply *refusal;
    struct user *user = named_user(sandbox, request, &refusal);
    if (!user)
        return refusal;
    _cleanup_free_ char *wrong = userfile_change(
        &sandbox->org, user, json_object_get(request->json, "set"), "set", sandbox_now_ms(sandbox));
    return wrong ? control_refuse(400, wrong) : reply_json(200, user_show(user, SHAPE_FULL));
}

struct reply *control_remove_user(struct sandbox *sandbox, const struct request *request)
{
    struct reply *refusal;
    struct user *user = named_user(sandbox, request, &refusal);
    if (!user)
        return refusal;
    org_drop_user(&sandbox->org, sandbox_now_ms(sandbox), user);
    return reply_json(200, json_pack("{s:b}", "ok", 1));
}
