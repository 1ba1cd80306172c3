/* The verdict table. */
#include "verdict.h"

#include <assert.h>
#include <errno.h>

#include "address.h"

/* A refused wish is tried again when it changes, or after a day. */
#define REFUSED_FOR_SECONDS (INT64_C(24) * 3600)

const char *action_word(enum action action)
{
    static const char *const words[] = {"invite",   "renew",  "replace",   "revoke",
                                        "set-role", "remove", "attention", "keep"};
    return words[action];
}

const char *action_key(enum action action)
{
    return action == ACTION_SET_ROLE ? "set_role" : action_word(action);
}

const char *reason_word(enum reason reason)
{
    static const char *const words[] = {
        [REASON_IGNORED] = "ignored",
        [REASON_UNKNOWN_STATUS] = "unknown-status",
        [REASON_NOT_INVITED] = "not-invited",
        [REASON_PENDING] = "pending",
        [REASON_ROLE_DIFFERS] = "role-differs",
        [REASON_PROJECTS_DIFFER] = "projects-differ",
        [REASON_NOT_AS_SENT] = "not-as-sent",
        [REASON_DUPLICATE] = "duplicate",
        [REASON_MEMBER] = "member",
        [REASON_ACCEPTED_ROLE_DIFFERS] = "accepted-role-differs",
        [REASON_INVITE_EXPIRED] = "invite-expired",
        [REASON_RENEWALS_EXHAUSTED] = "renewals-exhausted",
        [REASON_CREATE_REFUSED] = "create-refused",
        [REASON_UNDECLARED] = "undeclared",
        [REASON_MEMBERSHIP_ENDED] = "membership-ended",
        [REASON_ACCEPTED_UNDECLARED] = "accepted-undeclared",
        [REASON_EXPIRED_UNDECLARED] = "expired-undeclared",
        [REASON_MEMBERSHIP_NOT_BEGUN] = "membership-not-begun",
        [REASON_ALREADY_MEMBER] = "already-member",
        [REASON_MEMBER_LEFT] = "member-left",
        [REASON_USER_ROLE_DIFFERS] = "user-role-differs",
        [REASON_USER_UNDECLARED] = "user-undeclared",
        [REASON_REMOVAL_DUE] = "removal-due",
        [REASON_EMAIL_CHANGED] = "email-changed",
        [REASON_SERVICE_ACCOUNT] = "service-account",
        [REASON_SCIM_MANAGED] = "scim-managed",
        [REASON_NO_EMAIL] = "no-email",
        [REASON_PROTECTED] = "protected",
        [REASON_LAST_OWNER] = "last-owner",
    };
    return words[reason];
}

const char *result_word(enum result result)
{
    static const char *const words[] = {"", "done", "failed", "blocked", "skipped", "unknown"};
    return words[result];
}

bool action_mails(enum action action)
{
    return action == ACTION_INVITE || action == ACTION_RENEW || action == ACTION_REPLACE;
}

bool action_concerns_user(enum action action)
{
    return action == ACTION_SET_ROLE || action == ACTION_REMOVE;
}

bool action_writes(enum action action)
{
    return action_mails(action) || action == ACTION_REVOKE || action_concerns_user(action);
}

/* One person under judgement, with the figures that the rows ask for. */
struct judgement {
    const struct plan_inputs *inputs;
    const struct person *person;
    struct lines *lines;
    size_t live, accepted;
    const struct invite *newest_live, *newest_accepted, *newest_expired;
};

static int add(struct judgement *j, enum action action, enum reason reason,
               const struct invite *invite)
{
    if (RESERVE(j->lines->items, j->lines->count) < 0)
        return -ENOMEM;
    const struct member *member = j->person->member;
    assert(member || invite);
    j->lines->items[j->lines->count++] = (struct line){
        .action = action,
        .reason = reason,
        .email = member ? member->email : j->person->address,
        .role = member ? member->role : invite->role,
        .projects = member ? &member->projects : &invite->projects,
        .member = member,
        .invite = invite,
    };
    return 0;
}

/* With policy create-only, what would delete a live invite is only pointed out. */
static enum action unless_create_only(const struct judgement *j, enum action action)
{
    return j->inputs->create_only ? ACTION_ATTENTION : action;
}

/* Whether the person was mailed this grant as often as limits.renewals allows. */
static bool is_mailed_out(const struct judgement *j, enum role role,
                          const struct projects *projects)
{
    const struct ledger_wish *wish =
        ledger_find(j->inputs->ledger, j->person->address, role, projects);
    return wish && wish->mailed > j->inputs->limits->renewals;
}

/*
 * A person who lost an invite to a replacement that was refused, and was not given it back before
 * the process died, is not made to wait: the refusal comes again, and then the old invite.
 */
static bool was_refused_lately(const struct judgement *j, const struct ledger_wish *wish,
                               enum action action)
{
    if (wish->state != CREATE_REFUSED || (action == ACTION_INVITE && wish->lost.id))
        return false;
    return j->inputs->now >= wish->wall && j->inputs->now - wish->wall < REFUSED_FOR_SECONDS;
}

/*
 * A line that would mail the person, unless the wish was mailed as often as it may be, or was
 * refused lately.
 */
static int add_mail(struct judgement *j, enum action action, enum reason reason,
                    const struct invite *invite)
{
    const struct member *member = j->person->member;
    const struct ledger_wish *wish =
        ledger_find(j->inputs->ledger, member->email, member->role, &member->projects);
    if (is_mailed_out(j, member->role, &member->projects))
        return add(j, ACTION_ATTENTION, REASON_RENEWALS_EXHAUSTED, invite);
    if (wish && was_refused_lately(j, wish, action))
        return add(j, ACTION_ATTENTION, REASON_CREATE_REFUSED, invite);
    /* A refused replacement mails the old invite again: that, too, has an end. */
    if (action == ACTION_REPLACE && is_mailed_out(j, invite->role, &invite->projects))
        return add(j, ACTION_ATTENTION, REASON_RENEWALS_EXHAUSTED, invite);
    int r = add(j, action, reason, invite);
    if (r >= 0 && action_mails(action))
        j->lines->items[j->lines->count - 1].held =
            ledger_is_open(j->inputs->ledger, member->email);
    return r;
}

static bool is_live(const struct judgement *j, size_t i)
{
    return invite_is_live(j->person->sightings[i].invite, j->inputs->now);
}

static void count_up(const struct invite *invite, const struct invite **newest, size_t *count)
{
    if (!*newest || invite_newer(invite, *newest))
        *newest = invite;
    (*count)++;
}

static void survey(struct judgement *j)
{
    size_t expired = 0;
    for (size_t i = 0; i < j->person->count; i++) {
        const struct invite *invite = j->person->sightings[i].invite;
        if (invite_is_live(invite, j->inputs->now))
            count_up(invite, &j->newest_live, &j->live);
        else if (invite->status == INVITE_ACCEPTED)
            count_up(invite, &j->newest_accepted, &j->accepted);
        else
            count_up(invite, &j->newest_expired, &expired);
    }
}

/* The invite whose status or role is a word we do not know, or NULL. */
static const struct invite *find_unknown(const struct person *person)
{
    for (size_t i = 0; i < person->count; i++) {
        const struct invite *invite = person->sightings[i].invite;
        assert(invite);
        if (invite_is_obscure(invite))
            return invite;
    }
    return NULL;
}

static bool is_for_this_wish(const struct judgement *j, const struct ledger_wish *wish)
{
    const struct member *member = j->person->member;
    return wish &&
           wish == ledger_find(j->inputs->ledger, member->email, member->role, &member->projects);
}

/*
 * A live invite that we created for this very wish and that reads otherwise: replacing it would
 * make the same invite again, for ever.
 */
static const struct invite *find_not_as_sent(const struct judgement *j)
{
    const struct member *member = j->person->member;
    for (size_t i = 0; i < j->person->count; i++) {
        const struct sighting *s = &j->person->sightings[i];
        if (!is_live(j, i) || !is_for_this_wish(j, s->ours))
            continue;
        if (address_compare(s->invite->email, member->email) != 0 ||
            !invite_grants(s->invite, member->role, &member->projects))
            return s->invite;
    }
    return NULL;
}

/*
 * The live invite that is as declared: the newest, but one that the listing shows before one that
 * only the ledger knows of, for what is shown is there.
 */
static const struct invite *newest_match(const struct judgement *j)
{
    const struct member *member = j->person->member;
    const struct sighting *newest = NULL;
    for (size_t i = 0; i < j->person->count; i++) {
        const struct sighting *s = &j->person->sightings[i];
        if (!is_live(j, i) || !invite_grants(s->invite, member->role, &member->projects))
            continue;
        if (!newest || (newest->assumed && !s->assumed) ||
            (newest->assumed == s->assumed && invite_newer(s->invite, newest->invite)))
            newest = s;
    }
    return newest ? newest->invite : NULL;
}

static int revoke_live_but(struct judgement *j, const struct invite *kept, enum reason reason)
{
    for (size_t i = 0; i < j->person->count; i++) {
        const struct invite *invite = j->person->sightings[i].invite;
        if (!is_live(j, i) || invite == kept)
            continue;
        int r = add(j, unless_create_only(j, ACTION_REVOKE), reason, invite);
        if (r < 0)
            return r;
        /* What is revoked goes by what it is, not by what is wished for. */
        struct line *line = &j->lines->items[j->lines->count - 1];
        line->role = invite->role;
        line->projects = &invite->projects;
    }
    return 0;
}

static int judge_declared_live(struct judgement *j)
{
    const struct invite *other = find_not_as_sent(j);
    if (other)
        return add(j, ACTION_ATTENTION, REASON_NOT_AS_SENT, other);

    const struct invite *kept = newest_match(j);
    int r;
    if (kept) {
        r = add(j, ACTION_KEEP, REASON_PENDING, kept);
    } else {
        kept = j->newest_live;
        assert(kept);
        enum reason reason =
            kept->role != j->person->member->role ? REASON_ROLE_DIFFERS : REASON_PROJECTS_DIFFER;
        r = j->inputs->create_only ? add(j, ACTION_ATTENTION, reason, kept)
                                   : add_mail(j, ACTION_REPLACE, reason, kept);
    }
    return r < 0 ? r : revoke_live_but(j, kept, REASON_DUPLICATE);
}

/* The invite that was accepted last, whichever was made last; one of an unknown time before all. */
static const struct invite *last_accepted(const struct judgement *j)
{
    const struct invite *last = NULL;
    for (size_t i = 0; i < j->person->count; i++) {
        const struct invite *invite = j->person->sightings[i].invite;
        if (invite->status != INVITE_ACCEPTED)
            continue;
        if (invite->accepted_at == 0)
            return invite;
        if (!last || invite->accepted_at > last->accepted_at)
            last = invite;
    }
    return last;
}

/* Whether the invite was accepted so long ago that its user would be listed; -1: not stated. */
static int accepted_long_ago(const struct judgement *j, const struct invite *invite)
{
    assert(invite);
    if (invite->accepted_at == 0)
        return -1;
    return j->inputs->now - invite->accepted_at > ACCEPTANCE_SHOWS_SECONDS;
}

/*
 * Declared, accepted, and no user: whoever accepted is gone, or does not show yet, or is the user
 * of whom no e-mail is stated.
 */
static int judge_declared_gone(struct judgement *j)
{
    const struct invite *accepted = last_accepted(j);
    switch (accepted_long_ago(j, accepted)) {
    case 0:
        return add(j, ACTION_KEEP, REASON_MEMBER, accepted);
    case 1:
        if (j->person->may_be_nameless)
            return add(j, ACTION_ATTENTION, REASON_MEMBER_LEFT, accepted);
        return add_mail(j, ACTION_INVITE, REASON_MEMBER_LEFT, accepted);
    default:
        return add(j, ACTION_ATTENTION, REASON_MEMBER_LEFT, accepted);
    }
}

static int judge_declared(struct judgement *j)
{
    if (j->live > 0)
        return judge_declared_live(j);
    if (j->accepted > 0 && j->inputs->users)
        return judge_declared_gone(j);
    if (j->accepted > 0 && j->newest_accepted->role != j->person->member->role)
        return add(j, ACTION_ATTENTION, REASON_ACCEPTED_ROLE_DIFFERS, j->newest_accepted);
    if (j->accepted > 0)
        return add(j, ACTION_KEEP, REASON_MEMBER, j->newest_accepted);
    if (j->newest_expired)
        return add_mail(j, ACTION_RENEW, REASON_INVITE_EXPIRED, j->newest_expired);
    return add_mail(j, ACTION_INVITE, REASON_NOT_INVITED, NULL);
}

static enum reason undeclared_reason(enum member_standing standing)
{
    return standing == STANDING_ENDED       ? REASON_MEMBERSHIP_ENDED
           : standing == STANDING_NOT_BEGUN ? REASON_MEMBERSHIP_NOT_BEGUN
                                            : REASON_UNDECLARED;
}

static int judge_undeclared(struct judgement *j, enum reason reason)
{
    int r = revoke_live_but(j, NULL, reason);
    if (r >= 0 && j->accepted > 0 && j->inputs->users && accepted_long_ago(j, last_accepted(j)))
        r = add(j, ACTION_KEEP, REASON_MEMBER_LEFT, last_accepted(j));
    else if (r >= 0 && j->accepted > 0)
        r = add(j, ACTION_ATTENTION, REASON_ACCEPTED_UNDECLARED, j->newest_accepted);
    else if (r >= 0 && j->live == 0 && j->newest_expired)
        r = add(j, ACTION_KEEP, REASON_EXPIRED_UNDECLARED, j->newest_expired);
    return r;
}

/* Whether it may be by this very invite that the user has joined. */
static bool may_be_accepted(const struct judgement *j, const struct invite *invite,
                            const struct user *user)
{
    bool long_member = j->inputs->now - user->added_at > ACCEPTANCE_SHOWS_SECONDS;
    bool made_later = invite->created_at > user->added_at;
    return user->added_at == 0 || (!long_member && !made_later);
}

/*
 * Whether the invite is one that a member has no use for. Not one that they may just have accepted,
 * or that the listing does not show: those of users and of invites may lag behind each other.
 */
static bool is_stray(const struct judgement *j, const struct sighting *sighting)
{
    for (size_t i = 0; i < j->person->user_count; i++)
        if (may_be_accepted(j, sighting->invite, j->person->users[i].user))
            return false;
    return !sighting->assumed;
}

static int revoke_strays(struct judgement *j, enum reason reason)
{
    for (size_t i = 0; i < j->person->count; i++) {
        const struct sighting *sighting = &j->person->sightings[i];
        if (!is_live(j, i) || !is_stray(j, sighting))
            continue;
        int r = add(j, unless_create_only(j, ACTION_REVOKE), reason, sighting->invite);
        if (r < 0)
            return r;
        struct line *line = &j->lines->items[j->lines->count - 1];
        line->role = sighting->invite->role;
        line->projects = &sighting->invite->projects;
    }
    return 0;
}

/* A member: what they are is judged by the user, and their invites are only in the way. */
static int judge_member(struct judgement *j, enum member_standing standing)
{
    size_t before = j->lines->count;
    for (size_t i = 0; i < j->person->user_count; i++) {
        int r = verdict_on_user(j->inputs, j->person, j->person->users[i].user, j->lines);
        if (r < 0)
            return r;
    }
    /* Where it is not known who this is, nothing of theirs is touched. */
    for (size_t i = before; i < j->lines->count; i++)
        if (j->lines->items[i].reason == REASON_UNKNOWN_STATUS ||
            j->lines->items[i].reason == REASON_EMAIL_CHANGED ||
            j->lines->items[i].reason == REASON_NO_EMAIL)
            return 0;
    return revoke_strays(j, standing == STANDING_DECLARED ? REASON_ALREADY_MEMBER
                                                          : undeclared_reason(standing));
}

static int keep_ignored(struct judgement *j)
{
    if (j->person->count > 0)
        return add(j, ACTION_KEEP, REASON_IGNORED, j->person->sightings[0].invite);
    int r = verdict_on_user(j->inputs, j->person, j->person->users[0].user, j->lines);
    if (r >= 0) {
        struct line *line = &j->lines->items[j->lines->count - 1];
        line->action = ACTION_KEEP;
        line->reason = REASON_IGNORED;
        line->due_in = 0;
    }
    return r;
}

int verdict_on(const struct plan_inputs *inputs, const struct person *person, struct lines *lines)
{
    struct judgement j = {.inputs = inputs, .person = person, .lines = lines};
    if (members_ignored_by(inputs->members, person->address))
        return keep_ignored(&j);
    const struct invite *unknown = find_unknown(person);
    if (unknown)
        return add(&j, ACTION_ATTENTION, REASON_UNKNOWN_STATUS, unknown);

    survey(&j);
    enum member_standing standing = member_standing(person->member, inputs->now);
    if (person->user_count > 0)
        return judge_member(&j, standing);
    if (standing == STANDING_DECLARED)
        return judge_declared(&j);
    return judge_undeclared(&j, undeclared_reason(standing));
}
