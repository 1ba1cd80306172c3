/* Member files from an adoption: libconfig by hand, JSON by jansson. */
#include "codec/exporttext.h"

#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "codec/jsontext.h"
#include "codec/utf8.h"
#include "core/address.h"

/* A comment is cut at so many bytes: a name may be of any length. */
#define COMMENT_MAX 300

/* What is written under `defaults`, and left out of each member. */
#define DEFAULT_ROLE ROLE_READER

/* ---- remarks ------------------------------------------------------------------------------- */

static char *unknown_invite(const struct remark *remark)
{
    const struct invite *invite = remark->invite;
    bool role = invite->status != INVITE_STATUS_UNKNOWN;
    const char *word = role ? invite->role_text : invite->status_text;
    return memory_format("%s: invite %s has %s `%s`, which is not known", remark->subject,
                         invite->id, role ? "role" : "status", word ? word : "(none)");
}

static char *about_user(const struct remark *remark, const char *what)
{
    const char *name = remark->user->name;
    return memory_format("%s: %s%s%s%s", remark->subject, what, name ? " (" : "", name ? name : "",
                         name ? ")" : "");
}

static char *unknown_role(const struct remark *remark)
{
    const char *word = remark->user->role_text;
    if (!word)
        return memory_format("%s: user %s has no role", remark->subject, remark->user->id);
    return memory_format("%s: user %s has role `%s`, which is not known", remark->subject,
                         remark->user->id, word);
}

static char *about_ignored(const struct remark *remark)
{
    const char *subject = remark->subject;
    if (remark->reason == REASON_DUPLICATE)
        return memory_format(
            "%s: has several live invites; revoke all but one, then declare the person", subject);
    if (remark->reason == REASON_ALREADY_MEMBER)
        return memory_format(
            "%s: is a member with a live invite; revoke that, then declare the person", subject);
    if (remark->reason == REASON_USER_ROLE_DIFFERS)
        return memory_format("%s: is the address of several users of different roles", subject);
    return memory_format("%s: a plan would %s this (%s)", subject, action_word(remark->action),
                         reason_word(remark->reason));
}

static char *out_of_sync(const struct remark *remark)
{
    if (remark->reason == REASON_REMOVAL_DUE)
        return memory_format("%s: will be removed where users are managed", remark->subject);
    return memory_format("%s: a plan will %s this (%s)", remark->subject,
                         action_word(remark->action), reason_word(remark->reason));
}

char *exporttext_remark(const struct remark *remark)
{
    const char *subject = remark->subject;
    switch (remark->kind) {
    case REMARK_ADDRESS:
        return memory_format("%s: this address %s, so it cannot be declared", subject,
                             address_fault(subject));
    case REMARK_UNKNOWN_INVITE:
        return unknown_invite(remark);
    case REMARK_UNKNOWN_ROLE:
        return unknown_role(remark);
    case REMARK_NO_ADDRESS:
        return about_user(remark, "a user without an address");
    case REMARK_SERVICE_ACCOUNT:
        return about_user(remark, "a service account, which is never touched");
    case REMARK_LEFT:
        return memory_format("%s: accepted an invite, and is no user now", subject);
    case REMARK_EXPIRED:
        return memory_format("%s: has nothing but expired invites", subject);
    case REMARK_PROJECTS:
        return memory_format("%s: is declared without projects, since a member file does not take "
                             "those of the invite",
                             subject);
    case REMARK_IGNORED:
        return about_ignored(remark);
    case REMARK_OUT_OF_SYNC:
        return out_of_sync(remark);
    }
    return NULL;
}

/* ---- libconfig ----------------------------------------------------------------------------- */

static void put_string(FILE *stream, const char *text)
{
    putc('"', stream);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(stream, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            fprintf(stream, "\\x%02x", c);
        else
            putc(c, stream);
    }
    putc('"', stream);
}

/* The rest of a line; nothing in it can end the comment. Returns false without memory. */
static bool put_comment(FILE *stream, const char *before, const char *text)
{
    _cleanup_free_ char *escaped = text ? utf8_escape_short(text, COMMENT_MAX) : NULL;
    fprintf(stream, "%s%s\n", before, escaped ? escaped : "");
    return escaped != NULL;
}

static bool put_remark(FILE *stream, const char *before, const struct remark *remark)
{
    _cleanup_free_ char *text = exporttext_remark(remark);
    return put_comment(stream, before, text);
}

static void put_projects(FILE *stream, const struct projects *projects)
{
    fputs(" projects = (", stream);
    for (size_t i = 0; i < projects->count; i++) {
        const struct project *project = &projects->items[i];
        bool bare = project->role == PROJECT_ROLE_MEMBER;
        fputs(i > 0 ? ", " : " ", stream);
        fputs(bare ? "" : "{ id = ", stream);
        put_string(stream, project->id);
        if (!bare)
            fprintf(stream, "; role = \"%s\"; }", project_role_word(project->role));
    }
    fputs(projects->count > 0 ? " );" : ");", stream);
}

/* What stands behind a pattern: the address only where the pattern is another text. */
static bool put_reason(FILE *stream, const char *before, const struct remark *remark)
{
    _cleanup_free_ char *text = exporttext_remark(remark);
    size_t told = strcmp(remark->subject, remark->ignored) == 0 ? strlen(remark->subject) + 2 : 0;
    return put_comment(stream, before, text ? text + told : NULL);
}

/* Whether the member is no more than an address with the default role. */
static bool is_bare(const struct member *member)
{
    return member->role == DEFAULT_ROLE && !member->projects.given;
}

static void put_member(FILE *stream, const struct member *member)
{
    if (is_bare(member)) {
        put_string(stream, member->email);
        return;
    }
    fputs("{ email = ", stream);
    put_string(stream, member->email);
    fputs(";", stream);
    if (member->role != DEFAULT_ROLE)
        fprintf(stream, " role = \"%s\";", role_word(member->role));
    if (member->projects.given)
        put_projects(stream, &member->projects);
    fputs(" }", stream);
}

/* What helps to know who that is: a name, or that they have not accepted yet. */
static bool put_origin(FILE *stream, const struct origin *origin)
{
    const struct user *user = origin->user;
    if (!user) {
        fputs(origin->invite->status == INVITE_PENDING ? "  # invited\n" : "\n", stream);
        return true;
    }
    const char *managed = user->is_scim_managed ? "managed by SCIM" : NULL;
    if (!user->name && !managed) {
        putc('\n', stream);
        return true;
    }
    _cleanup_free_ char *text =
        memory_format("%s%s%s", user->name ? user->name : "", user->name && managed ? ", " : "",
                      managed ? managed : "");
    return put_comment(stream, "  # ", text);
}

static bool put_members(FILE *stream, const struct adoption *adoption)
{
    const struct members *members = adoption->members;
    bool whole = true;
    if (members->count == 0) {
        fputs("\n  # It has nobody to declare, and that is meant.\n  members = ();\n"
              "  allow_empty = true;\n",
              stream);
        return true;
    }
    fputs("\n  members = (\n", stream);
    for (size_t i = 0; i < members->count; i++) {
        fputs("    ", stream);
        put_member(stream, &members->items[i]);
        fputs(i + 1 < members->count ? "," : "", stream);
        whole &= put_origin(stream, &adoption->origins[i]);
    }
    fputs("  );\n", stream);
    return whole;
}

static bool put_ignored(FILE *stream, const struct adoption *adoption)
{
    size_t left = adoption->members->ignore_count;
    bool whole = true;
    if (left == 0)
        return true;
    fputs("\n  # Left alone, for a plan would change something here:\n  ignore = (\n", stream);
    for (size_t i = 0; i < adoption->remark_count; i++) {
        const struct remark *remark = &adoption->remarks[i];
        if (!remark->ignored)
            continue;
        fputs("    ", stream);
        put_string(stream, remark->ignored);
        whole &= put_reason(stream, --left > 0 ? ",  # " : "  # ", remark);
    }
    fputs("  );\n", stream);
    return whole;
}

static bool put_remarks(FILE *stream, const struct adoption *adoption)
{
    bool whole = true, first = true;
    for (size_t i = 0; i < adoption->remark_count; i++) {
        if (adoption->remarks[i].ignored)
            continue;
        fputs(first ? "\n# What this file cannot express, or does not:\n" : "", stream);
        whole &= put_remark(stream, "#   ", &adoption->remarks[i]);
        first = false;
    }
    return whole;
}

static void put_head(FILE *stream, const struct adoption *adoption, int64_t date)
{
    char text[DATE_SIZE];
    fprintf(stream, "# The organisation as it was on %s,\n# written by inviterd export from %s\n",
            date_format_utc(date, text),
            adoption->users_listed ? "its users and its pending invites."
                                   : "its invites; who has accepted one is taken for a member.");
    if (!adoption_in_sync(adoption))
        fputs("# A plan with this file may change something: the last lines say what.\n", stream);
    else
        fprintf(stream, "# A plan with this file is in sync, %s users are \"off\".\n",
                adoption->users_listed ? "unless" : "as long as");
    fputs(adoption->users_listed
              ? "# Only pending invites have projects here: those of members are never changed.\n"
              : "# Who is a member without an invite is missing, since users were not listed.\n",
          stream);
}

char *exporttext_conf(const struct adoption *adoption, int64_t date)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return NULL;
    put_head(stream, adoption, date);
    fprintf(stream, "\norganization:\n{\n  defaults = { role = \"%s\"; };\n",
            role_word(DEFAULT_ROLE));
    bool whole = put_members(stream, adoption);
    whole &= put_ignored(stream, adoption);
    fputs("\n  # Where users are managed, at least one owner has to stand here, who is never "
          "removed:\n  # protected = ( \"owner@example.com\" );\n};\n",
          stream);
    whole &= put_remarks(stream, adoption);
    if (fclose(stream) == 0 && whole)
        return text;
    free(text);
    return NULL;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *projects_json(const struct projects *projects)
{
    json_t *list = json_array();
    for (size_t i = 0; i < projects->count; i++) {
        const struct project *project = &projects->items[i];
        json_array_append_new(list, project->role == PROJECT_ROLE_MEMBER
                                        ? json_string(project->id)
                                        : json_pack("{s:s, s:s}", "id", project->id, "role",
                                                    project_role_word(project->role)));
    }
    return list;
}

static json_t *member_json(const struct member *member)
{
    if (is_bare(member))
        return json_string(member->email);
    json_t *object = json_pack("{s:s}", "email", member->email);
    if (member->role != DEFAULT_ROLE)
        json_object_set_new(object, "role", json_string(role_word(member->role)));
    if (member->projects.given)
        json_object_set_new(object, "projects", projects_json(&member->projects));
    return object;
}

char *exporttext_json(const struct adoption *adoption)
{
    const struct members *members = adoption->members;
    jsontext_begin();
    json_t *list = json_array(), *ignore = json_array();
    for (size_t i = 0; i < members->count; i++)
        json_array_append_new(list, member_json(&members->items[i]));
    for (size_t i = 0; i < adoption->remark_count; i++)
        if (adoption->remarks[i].ignored)
            json_array_append_new(ignore, json_string(adoption->remarks[i].ignored));
    json_t *group =
        json_pack("{s:{s:s}, s:o}", "defaults", "role", role_word(DEFAULT_ROLE), "members", list);
    if (members->count == 0)
        json_object_set_new(group, "allow_empty", json_true());
    if (json_array_size(ignore) > 0)
        json_object_set(group, "ignore", ignore);
    json_decref(ignore);
    _cleanup_free_ char *text =
        jsontext_end(json_pack("{s:o}", "organization", group), JSON_INDENT(2));
    return text ? memory_format("%s\n", text) : NULL;
}
