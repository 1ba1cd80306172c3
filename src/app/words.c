/* Sentences for reasons, limits and sums. */
#include "words.h"

#include <stdio.h>
#include <string.h>

#include "codec/date.h"

/* Host and service disagree by more than this: dates in the member file may surprise. */
#define CLOCK_SKEW_SECONDS 300

/* Collects text in memory; words_end() hands it over. */
struct words {
    char *text;
    size_t length;
    FILE *stream;
};

static bool words_begin(struct words *words)
{
    *words = (struct words){0};
    words->stream = open_memstream(&words->text, &words->length);
    return words->stream != NULL;
}

static char *words_end(struct words *words)
{
    if (fclose(words->stream) == 0)
        return words->text;
    free(words->text);
    return NULL;
}

/* "…; expires 2026-…" where the expiry is stated. */
static char *with_expiry(const char *what, const char *verb, int64_t seconds)
{
    char date[DATE_SIZE];
    if (seconds == 0)
        return strdup(what);
    return memory_format("%s%s %s", what, verb, date_format_utc(seconds, date));
}

static char *role_differs(const struct line *line)
{
    const char *is = role_word(line->invite->role);
    if (line->action == ACTION_ATTENTION)
        return memory_format("the pending invite is for %s; policy create-only replaces nothing",
                             is);
    return memory_format("the pending invite is for %s", is);
}

static char *unknown_status(const struct line *line)
{
    const struct invite *invite = line->invite;
    if (!invite && !line->user->role_text)
        return strdup("the service states no role for the user: nothing is done here");
    if (!invite)
        return memory_format("the service states role `%.60s` for the user, which is unknown: "
                             "nothing is done here",
                             line->user->role_text);
    bool role = invite->status != INVITE_STATUS_UNKNOWN;
    const char *word = role ? invite->role_text : invite->status_text;
    return memory_format("the service states %s `%.60s`, which is unknown: nothing is done here",
                         role ? "role" : "status", word ? word : "(none)");
}

static char *projects_differ(const struct line *line)
{
    _cleanup_free_ char *is = words_for_projects(&line->invite->projects);
    return memory_format("the pending invite has %s%s", is ? is : "other projects",
                         line->action == ACTION_ATTENTION ? "; policy create-only replaces nothing"
                                                          : "");
}

static char *undeclared(const struct line *line, const char *why)
{
    return memory_format("%s%s", why,
                         line->action == ACTION_ATTENTION ? "; policy create-only revokes nothing"
                                                          : "");
}

/* "23 h", "5 min", "40 s": rounded up, so that nothing comes sooner than it says. */
static char *time_left(uint64_t usec)
{
    static const struct {
        uint64_t usec;
        const char *unit;
    } units[] = {{UINT64_C(24) * 3600 * 1000000, "days"},
                 {UINT64_C(3600) * 1000000, "h"},
                 {UINT64_C(60) * 1000000, "min"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (usec > 2 * units[i].usec)
            return memory_format("%llu %s",
                                 (unsigned long long)((usec + units[i].usec - 1) / units[i].usec),
                                 units[i].unit);
    return memory_format("%llu s", (unsigned long long)((usec + 999999) / 1000000));
}

static char *removal_due(const struct line *line)
{
    _cleanup_free_ char *left = time_left(line->due_in);
    if (line->due_in < 1000000)
        return strdup("not in the member file: removal due at the next pass");
    return left ? memory_format("not in the member file: removal due in %s of watching", left)
                : NULL;
}

static char *user_role_differs(const struct line *line)
{
    if (line->action == ACTION_SET_ROLE)
        return memory_format("the user is %s", role_word(line->user->role));
    return memory_format(
        "the user is %s, the member file says %s: change it by hand, or set `users` "
        "to \"manage\" with policy sync",
        role_word(line->user->role), role_word(line->member->role));
}

static char *user_undeclared(const struct line *line)
{
    return strdup(line->action == ACTION_REMOVE
                      ? "a member who is not in the member file"
                      : "a member who is not in the member file: remove the user by hand, or "
                        "declare the person");
}

static char *member_left(const struct line *line)
{
    if (line->action == ACTION_KEEP)
        return strdup("accepted, and is a member no longer");
    if (line->action == ACTION_ATTENTION && line->invite->accepted_at != 0)
        return strdup("accepted, and perhaps the user of whom no e-mail is stated: invite them by "
                      "hand if not");
    if (line->action == ACTION_ATTENTION)
        return strdup(
            "accepted at a time that is not stated, and is no member: invite them by hand, "
            "or wait");
    return strdup("accepted, and is a member no longer");
}

static char *membership_not_begun(const struct line *line)
{
    if (line->user)
        return strdup("a member already, before their first day (from): nothing is done");
    return undeclared(line, "the membership has not begun (from)");
}

static char *membership_ended(const struct line *line)
{
    const char *ended = "the membership has ended (until)";
    if (line->user && line->action == ACTION_ATTENTION)
        return memory_format("%s: remove the user by hand, or correct the day", ended);
    return undeclared(line, ended);
}

/* The reasons that concern users, and days in the member file. */
static char *words_for_user(const struct line *line)
{
    switch (line->reason) {
    case REASON_MEMBERSHIP_NOT_BEGUN:
        return membership_not_begun(line);
    case REASON_ALREADY_MEMBER:
        return undeclared(line, "a member already, who needs no invite");
    case REASON_MEMBER_LEFT:
        return member_left(line);
    case REASON_USER_ROLE_DIFFERS:
        return user_role_differs(line);
    case REASON_USER_UNDECLARED:
        return user_undeclared(line);
    case REASON_REMOVAL_DUE:
        return removal_due(line);
    case REASON_EMAIL_CHANGED:
        return memory_format(
            "the user %s has the e-mail %s now: correct the member file, or the user",
            line->user->id, line->user->email);
    case REASON_SERVICE_ACCOUNT:
        return strdup("a service account, never touched");
    case REASON_SCIM_MANAGED:
        return strdup("managed by SCIM, and not as the member file says: change one of the two");
    case REASON_NO_EMAIL:
        return memory_format("the user %s has no e-mail: nothing is done here", line->user->id);
    case REASON_PROTECTED:
        return strdup(line->action == ACTION_KEEP ? "protected"
                                                  : "protected, and an owner: the member file asks "
                                                    "for less, change one of the two");
    case REASON_LAST_OWNER:
        return strdup("nobody would be left who owns the organisation: make somebody else an owner "
                      "first");
    default:
        return strdup(reason_word(line->reason));
    }
}

char *words_for_reason(const struct line *line)
{
    switch (line->reason) {
    case REASON_IGNORED:
        return strdup("covered by an ignore pattern");
    case REASON_UNKNOWN_STATUS:
        return unknown_status(line);
    case REASON_NOT_INVITED:
        return strdup(line->held ? "not listed, but an earlier create may have happened: a listing "
                                   "decides first"
                                 : "not invited yet");
    case REASON_PENDING:
        return with_expiry("invited, not accepted yet", "; expires", line->invite->expires_at);
    case REASON_ROLE_DIFFERS:
        return role_differs(line);
    case REASON_PROJECTS_DIFFER:
        return projects_differ(line);
    case REASON_NOT_AS_SENT:
        return strdup(
            "the service shows our invite otherwise than it was sent: look at it by hand");
    case REASON_DUPLICATE:
        return undeclared(line, "another invite of the same person");
    case REASON_MEMBER:
        return strdup(line->user ? "a member" : "accepted the invite");
    case REASON_ACCEPTED_ROLE_DIFFERS:
        return memory_format("accepted as %s: change the role by hand, or the member file",
                             role_word(line->invite->role));
    case REASON_INVITE_EXPIRED:
        return with_expiry("the invite expired", "", line->invite->expires_at);
    case REASON_RENEWALS_EXHAUSTED:
        return strdup("mailed as often as limits.renewals allows: ask them, or take them out");
    case REASON_CREATE_REFUSED:
        return strdup("refused by the service within the last day: correct the entry, or wait");
    case REASON_UNDECLARED:
        return undeclared(line, "not in the member file");
    case REASON_MEMBERSHIP_ENDED:
        return membership_ended(line);
    case REASON_ACCEPTED_UNDECLARED:
        return strdup("not in the member file, yet accepted: remove the user by hand");
    case REASON_EXPIRED_UNDECLARED:
        return strdup("expired, and not in the member file");
    default:
        break;
    }
    return words_for_user(line);
}

char *words_for_projects(const struct projects *projects)
{
    struct words words;
    if (!projects->given)
        return NULL;
    if (projects->count == 0)
        return strdup("no project");
    if (!words_begin(&words))
        return NULL;
    for (size_t i = 0; i < projects->count; i++) {
        const struct project *project = &projects->items[i];
        fprintf(words.stream, "%s%s%s", i == 0 ? "" : ", ", project->id,
                project->role == PROJECT_ROLE_OWNER ? " (owner)" : "");
    }
    return words_end(&words);
}

char *words_for_limits(unsigned bits)
{
    struct words words;
    if (!words_begin(&words))
        return NULL;
    const char *separator = "";
    for (unsigned bit = 1; bit < 1u << LIMIT_COUNT; bit <<= 1) {
        if (!(bits & bit))
            continue;
        fprintf(words.stream, "%s%s", separator, limit_word((enum limit)bit));
        separator = ", ";
    }
    return words_end(&words);
}

/* As many digits as it takes to see that one figure is over the other. */
static char *words_for_share(const char *limit, const char *what, const struct limit_excess *excess)
{
    for (int digits = 0;; digits++) {
        _cleanup_free_ char *found = memory_format("%.*f", digits, 100 * excess->found);
        _cleanup_free_ char *allowed = memory_format("%.*f", digits, 100 * excess->allowed);
        if (!found || !allowed)
            return NULL;
        if (strcmp(found, allowed) != 0 || digits == 4)
            return memory_format("limits.%s: %s %% of all %s, %s %% are allowed", limit, found,
                                 what, allowed);
    }
}

char *words_for_excess(const struct limit_excess *excess)
{
    double found = excess->found, allowed = excess->allowed;
    const char *are = allowed == 1 ? "is" : "are";
    switch (excess->limit) {
    case LIMIT_REVOCATIONS:
        return memory_format("limits.revocations: %.0f live %s would be revoked or replaced, "
                             "%.0f %s allowed",
                             found, found == 1 ? "invite" : "invites", allowed, are);
    case LIMIT_REVOCATION_RATIO:
        return words_for_share("revocation_ratio", "live invites would be revoked or replaced",
                               excess);
    case LIMIT_INVITES:
        return memory_format("limits.invites: %.0f %s would be invited, %.0f %s allowed", found,
                             found == 1 ? "person" : "people", allowed, are);
    case LIMIT_OWNER_INVITES:
        return memory_format("limits.owner_invites: %.0f %s would be invited or made, %.0f %s "
                             "allowed",
                             found, found == 1 ? "owner" : "owners", allowed, are);
    case LIMIT_REMOVALS:
        return memory_format("limits.removals: %.0f %s would be removed, %.0f %s allowed", found,
                             found == 1 ? "user" : "users", allowed, are);
    case LIMIT_REMOVAL_RATIO:
        return words_for_share("removal_ratio", "users would be removed", excess);
    case LIMIT_MIN_OWNERS:
        return memory_format("limits.min_owners: %.0f %s would be left, and there have to be %.0f",
                             found, found == 1 ? "owner" : "owners", allowed);
    case LIMIT_USERS_VANISHED:
        return memory_format("users_vanished: %.0f %s listed, and there were %.0f at the last pass",
                             found, found == 1 ? "user is" : "users are", allowed);
    case LIMIT_VANISHED:
        return memory_format("vanished: %.0f live %s listed, and there were %.0f at the last pass",
                             found, found == 1 ? "invite is" : "invites are", allowed);
    }
    return NULL;
}

const char *words_for_role(const struct line *line)
{
    if (line->role != ROLE_UNKNOWN)
        return role_word(line->role);
    if (line->user && line->user->role_text)
        return line->user->role_text;
    return line->invite && line->invite->role_text ? line->invite->role_text
                                                   : role_word(line->role);
}

static void count(struct words *words, const char **separator, size_t n, const char *what)
{
    if (n == 0)
        return;
    fprintf(words->stream, "%s%zu %s", *separator, n, what);
    *separator = ", ";
}

char *words_for_summary(const struct plan *plan)
{
    struct words words;
    if (!words_begin(&words))
        return NULL;
    const char *separator = "";
    count(&words, &separator, plan_count(plan, ACTION_INVITE), "to invite");
    count(&words, &separator, plan_count(plan, ACTION_RENEW), "to renew");
    count(&words, &separator, plan_count(plan, ACTION_REPLACE), "to replace");
    count(&words, &separator, plan_count(plan, ACTION_REVOKE), "to revoke");
    size_t roles = plan_count(plan, ACTION_SET_ROLE);
    count(&words, &separator, roles, roles == 1 ? "role to change" : "roles to change");
    count(&words, &separator, plan_count(plan, ACTION_REMOVE), "to remove");
    if (*separator == '\0')
        fputs("in sync", words.stream);
    separator = "; ";
    size_t keep = plan_count(plan, ACTION_KEEP), attention = plan_count(plan, ACTION_ATTENTION);
    count(&words, &separator, keep, "unchanged");
    count(&words, &separator, attention, attention == 1 ? "needs attention" : "need attention");
    return words_end(&words);
}

char *words_for_results(const struct plan *plan)
{
    struct words words;
    const char *separator = "";
    if (!words_begin(&words))
        return NULL;
    for (enum result result = RESULT_DONE; result <= RESULT_UNKNOWN; result++)
        count(&words, &separator, plan_count_result(plan, result), result_word(result));
    return words_end(&words);
}

/* The word after which a shell sees just `text`: quoted only where that is needed. */
static void put_word(FILE *stream, const char *text)
{
    if (*text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "%+,-./:=@_") == strlen(text)) {
        fprintf(stream, " %s", text);
        return;
    }
    fputs(" '", stream);
    for (; *text; text++)
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stream);
    fputs("'", stream);
}

static void put_option(FILE *stream, const char *option, const char *value)
{
    if (!value)
        return;
    fprintf(stream, " %s", option);
    put_word(stream, value);
}

char *words_for_apply(const struct options *options, const struct settings *settings,
                      const char *approval)
{
    struct words words;
    if (!words_begin(&words))
        return NULL;
    const char *policy = options->policy;
    /* plan does without a policy, apply does not. */
    if (!policy && settings->policy == POLICY_UNSET)
        policy = "sync";
    fputs("inviterd apply", words.stream);
    put_option(words.stream, "--approve", approval);
    put_option(words.stream, "--instance", options->instance);
    put_option(words.stream, "--config", options->config);
    put_option(words.stream, "--members", options->members);
    put_option(words.stream, "--policy", policy);
    put_option(words.stream, "--users", options->users);
    put_option(words.stream, "--base-url", options->base_url);
    put_option(words.stream, "--state-dir", options->state_dir);
    return words_end(&words);
}

char *words_for_approve(const struct options *options, const char *approval)
{
    struct words words;
    if (!words_begin(&words))
        return NULL;
    fputs("inviterd approve", words.stream);
    put_word(words.stream, approval);
    put_option(words.stream, "--instance", options->instance);
    return words_end(&words);
}

char *words_for_clock(const struct pass *pass, int64_t wall)
{
    bool stated;
    int64_t skew = pass_date(pass, &stated) - wall;
    if (!stated)
        return strdup("the service states no date: this host's clock decides");
    if (skew >= -CLOCK_SKEW_SECONDS && skew <= CLOCK_SKEW_SECONDS)
        return NULL;
    return memory_format("this host's clock is %lld s %s the service's: set it; the service's "
                         "decides",
                         (long long)(skew < 0 ? -skew : skew), skew < 0 ? "ahead of" : "behind");
}
