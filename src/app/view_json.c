/* Design §5. */
#include "view.h"

#include "app/jsonline.h"
#include "app/words.h"
#include "codec/jsontext.h"

/* Text from outside may be no valid UTF-8 only if a codec let it pass; then JSON says null. */
static json_t *text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : NULL;
    return json ? json : json_null();
}

static json_t *projects_json(const struct projects *projects)
{
    if (!projects->given)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < projects->count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "id", text_or_null(projects->items[i].id),
                                        "role", project_role_word(projects->items[i].role)));
    return list;
}

static json_t *limits_json(unsigned bits)
{
    json_t *list = json_array();
    for (unsigned bit = 1; bit < 1u << LIMIT_COUNT; bit <<= 1)
        if (bits & bit)
            json_array_append_new(list, json_string(limit_word((enum limit)bit)));
    return list;
}

static void add_result(json_t *json, const struct line *line)
{
    json_object_set_new(
        json, "result",
        text_or_null(line->result == RESULT_NONE ? NULL : result_word(line->result)));
    json_object_set_new(json, "error", text_or_null(line->error));
    json_object_set_new(json, "request_id", text_or_null(line->request_id));
    if (line->invite_id && line->invite)
        json_object_set_new(json, "new_invite_id", text_or_null(line->invite_id));
}

/* A user may have none; the line then goes by the user's id. */
static const char *line_email(const struct line *line)
{
    return line->user && !line->user->email ? NULL : line->email;
}

static json_t *line_json(const struct line *line, bool applied)
{
    const char *id = line->invite ? line->invite->id : line->invite_id;
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:s, s:o, s:o}", "action", action_word(line->action), "email",
        text_or_null(line_email(line)), "role", text_or_null(words_for_role(line)), "projects",
        projects_json(line->projects), "reason", reason_word(line->reason), "invite_id",
        text_or_null(id), "blocked_by", limits_json(line->blocked_by));
    if (json)
        json_object_set_new(json, "user_id", text_or_null(line->user ? line->user->id : NULL));
    if (json && line->due_in > 0)
        json_object_set_new(json, "due_in", json_integer((json_int_t)(line->due_in / 1000000)));
    if (json && line->held)
        json_object_set_new(json, "held", json_true());
    if (json && applied)
        add_result(json, line);
    return json;
}

/* In the order of the contract; a reader of the text sees what matters first. */
static json_t *summary_json(const struct plan *plan)
{
    json_t *json = json_object();
    static const enum action order[] = {ACTION_INVITE, ACTION_RENEW,    ACTION_REPLACE,
                                        ACTION_REVOKE, ACTION_SET_ROLE, ACTION_REMOVE,
                                        ACTION_KEEP,   ACTION_ATTENTION};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        json_object_set_new(json, action_key(order[i]),
                            json_integer((json_int_t)plan_count(plan, order[i])));
    json_object_set_new(json, "blocked", json_integer((json_int_t)plan_count_blocked(plan)));
    json_object_set_new(json, "failed",
                        json_integer((json_int_t)(plan_count_result(plan, RESULT_FAILED) +
                                                  plan_count_result(plan, RESULT_UNKNOWN))));
    return json;
}

static json_t *actions_json(const struct view *view, const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->lines.count; i++)
        if (view->options->all || plan->lines.items[i].action != ACTION_KEEP)
            json_array_append_new(list, line_json(&plan->lines.items[i], view->applied));
    return list;
}

bool view_plan_json(const struct view *view)
{
    const struct plan *plan = pass_plan(view->pass);
    const char *approval = plan_count_blocked(plan) > 0 ? plan->approval : NULL;
    jsontext_begin();
    json_t *json = json_pack("{s:s, s:b, s:o, s:o, s:o}", "schema", "inviterd.plan/1", "in_sync",
                             plan_in_sync(plan), "approval", text_or_null(approval), "summary",
                             summary_json(plan), "actions", actions_json(view, plan));
    if (json && view->applied) {
        json_object_set_new(json, "error", text_or_null(pass_error(view->pass)));
        json_object_set_new(json, "requests", json_integer(pass_requests(view->pass)));
    }
    return jsonline_print(json);
}

static json_t *time_or_null(int64_t seconds)
{
    return seconds == 0 ? json_null() : json_integer(seconds);
}

static json_t *invite_json(const struct invite *invite)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", text_or_null(invite->id), "email",
        text_or_null(invite->email), "role", text_or_null(invite->role_text), "status",
        text_or_null(invite->status_text), "created_at", time_or_null(invite->created_at),
        "expires_at", time_or_null(invite->expires_at), "accepted_at",
        time_or_null(invite->accepted_at), "projects", projects_json(&invite->projects));
}

bool view_list_json(const struct invites *invites)
{
    jsontext_begin();
    json_t *list = json_array();
    for (size_t i = 0; i < invites->count; i++)
        json_array_append_new(list, invite_json(&invites->items[i]));
    return jsonline_print(json_pack("{s:s, s:o}", "schema", "inviterd.invites/1", "invites", list));
}

bool view_invite_json(const struct invite *invite)
{
    jsontext_begin();
    return jsonline_print(
        json_pack("{s:s, s:[o]}", "schema", "inviterd.invites/1", "invites", invite_json(invite)));
}
