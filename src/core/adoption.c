/* From listings to declared people; what cannot be declared is found by planning. */
#include "adoption.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "address.h"

/* An invite or a person, by whom they belong to. */
struct found {
    const char *address;
    const struct invite *invite; /* one of the two */
    const struct user *user;
};

/* All that an address has. */
struct holding {
    const char *address;
    const struct user *user;                    /* the first one of a known role */
    const struct user *obscure_user;            /* of a role that is not known */
    const struct invite *live, *accepted, *old; /* the newest of each; `old` has expired */
    const struct invite *lately;                /* one that was accepted within the hour */
    const struct invite *obscure;
};

/* The adoption in the making. */
struct work {
    const struct plan_inputs *inputs;
    struct adoption *adoption;
    struct found *found; /* sorted by address */
    size_t count, origin_count;
};

/* Adds a remark; its subject is set to a copy. */
static int remark_on(struct work *work, const char *subject, struct remark remark)
{
    struct adoption *adoption = work->adoption;
    remark.subject = strdup(subject);
    if (!remark.subject || RESERVE(adoption->remarks, adoption->remark_count) < 0) {
        free(remark.subject);
        return -ENOMEM;
    }
    adoption->remarks[adoption->remark_count++] = remark;
    return 0;
}

/* ---- what there is ------------------------------------------------------------------------- */

static bool is_hidden(const struct work *work, const char *id)
{
    return ledger_hides(work->inputs->ledger, id, work->inputs->begun, work->inputs->settle);
}

static int find(struct work *work, const struct found *found)
{
    if (RESERVE(work->found, work->count) < 0)
        return -ENOMEM;
    work->found[work->count++] = *found;
    return 0;
}

static int find_invites(struct work *work)
{
    const struct invites *invites = listing_invites(work->inputs->listing);
    int r = 0;
    for (size_t i = 0; i < invites->count && r == 0; i++) {
        const struct invite *invite = &invites->items[i];
        const struct ledger_wish *ours = ledger_find_invite(work->inputs->ledger, invite->id);
        const char *address = ours ? ours->email : invite->email;
        if (!is_hidden(work, invite->id))
            r = find(work, &(struct found){.address = address, .invite = invite});
    }
    return r;
}

static int find_user(struct work *work, const struct user *user)
{
    if (user->is_service_account)
        return remark_on(work, user->email ? user->email : user->id,
                         (struct remark){.kind = REMARK_SERVICE_ACCOUNT, .user = user});
    if (!user->email)
        return remark_on(work, user->id, (struct remark){.kind = REMARK_NO_ADDRESS, .user = user});
    return find(work, &(struct found){.address = user->email, .user = user});
}

static int find_users(struct work *work)
{
    const struct listing *listing = work->inputs->users;
    const struct users *users = listing ? listing_users(listing) : NULL;
    int r = 0;
    for (size_t i = 0; users && i < users->count && r == 0; i++)
        if (!is_hidden(work, users->items[i].id))
            r = find_user(work, &users->items[i]);
    return r;
}

static const char *id_of(const struct found *found)
{
    return found->user ? found->user->id : found->invite->id;
}

static int compare_found(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    int order = address_compare(left->address, right->address);
    return order != 0 ? order : strcmp(id_of(left), id_of(right));
}

/* ---- who is declared ----------------------------------------------------------------------- */

static void keep_newer(const struct invite **newest, const struct invite *invite)
{
    if (!*newest || invite_newer(invite, *newest))
        *newest = invite;
}

/* Whether whoever accepted may just not be listed yet. */
static bool is_accepted_lately(const struct invite *accepted, int64_t now)
{
    return accepted->accepted_at != 0 && now - accepted->accepted_at <= ACCEPTANCE_SHOWS_SECONDS;
}

static void hold_accepted(struct holding *holding, const struct invite *invite, int64_t now)
{
    keep_newer(&holding->accepted, invite);
    if (is_accepted_lately(invite, now))
        keep_newer(&holding->lately, invite);
}

static void hold(struct holding *holding, const struct found *found, int64_t now)
{
    if (found->user && found->user->role == ROLE_UNKNOWN)
        holding->obscure_user = found->user;
    else if (found->user && !holding->user)
        holding->user = found->user;
    else if (found->user)
        return;
    else if (invite_is_obscure(found->invite))
        holding->obscure = found->invite;
    else if (invite_is_live(found->invite, now))
        keep_newer(&holding->live, found->invite);
    else if (found->invite->status == INVITE_ACCEPTED)
        hold_accepted(holding, found->invite, now);
    else
        keep_newer(&holding->old, found->invite);
}

/* Whether the member file takes these projects. */
static bool is_writable(const struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++)
        if (project_id_fault(projects->items[i].id) ||
            (i > 0 && strcmp(projects->items[i - 1].id, projects->items[i].id) == 0))
            return false;
    return true;
}

/* Only a live invite is compared by its projects; those that cannot be written are not stated. */
static int take_projects(struct work *work, const struct invite *invite, struct member *member)
{
    if (!invite_is_live(invite, work->inputs->now) || !invite->projects.given)
        return 0;
    if (is_writable(&invite->projects))
        return projects_copy(&invite->projects, &member->projects);
    return remark_on(work, member->email,
                     (struct remark){.kind = REMARK_PROJECTS, .invite = invite});
}

static int declare(struct work *work, const char *address, const struct origin *origin)
{
    struct adoption *adoption = work->adoption;
    struct member member = {.email = strdup(address)};
    int r = member.email ? RESERVE(adoption->origins, work->origin_count) : -ENOMEM;
    if (origin->user)
        member.role = origin->user->role;
    if (origin->invite)
        member.role = origin->invite->role;
    if (r == 0 && origin->invite)
        r = take_projects(work, origin->invite, &member);
    if (r == 0)
        r = members_add(adoption->members, &member);
    if (r < 0)
        member_clear(&member);
    else
        adoption->origins[work->origin_count++] = *origin;
    return r;
}

/* Declares the person, or remarks why not. */
static int adopt(struct work *work, const struct holding *held)
{
    const char *address = held->address;
    const struct invite *invite = held->live;
    /* Whoever accepted is a member where users are not listed. */
    if (!invite)
        invite = work->inputs->users ? held->lately : held->accepted;
    if (!held->user && (held->obscure_user || held->obscure))
        return 0;
    if (held->user || invite) {
        const struct origin origin = {.user = held->user, .invite = held->user ? NULL : invite};
        return address_fault(address)
                   ? remark_on(work, address, (struct remark){.kind = REMARK_ADDRESS})
                   : declare(work, address, &origin);
    }
    if (held->accepted)
        return remark_on(work, address,
                         (struct remark){.kind = REMARK_LEFT, .invite = held->accepted});
    return remark_on(work, address, (struct remark){.kind = REMARK_EXPIRED, .invite = held->old});
}

static int remark_on_words(struct work *work, const struct holding *held)
{
    int r = 0;
    if (held->obscure)
        r = remark_on(work, held->address,
                      (struct remark){.kind = REMARK_UNKNOWN_INVITE, .invite = held->obscure});
    if (r == 0 && held->obscure_user)
        r = remark_on(work, held->address,
                      (struct remark){.kind = REMARK_UNKNOWN_ROLE, .user = held->obscure_user});
    return r;
}

static int adopt_all(struct work *work)
{
    for (size_t i = 0; i < work->count;) {
        struct holding held = {.address = work->found[i].address};
        for (; i < work->count && address_compare(work->found[i].address, held.address) == 0; i++)
            hold(&held, &work->found[i], work->inputs->now);
        int r = remark_on_words(work, &held);
        if (r == 0)
            r = adopt(work, &held);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- who is ignored ------------------------------------------------------------------------ */

/* Whether the pattern covers somebody of another address. */
static bool covers_others(const struct work *work, const char *pattern, const char *address)
{
    for (size_t i = 0; i < work->count; i++)
        if (address_compare(work->found[i].address, address) != 0 &&
            address_matches(pattern, work->found[i].address))
            return true;
    return false;
}

static struct remark *find_remark(const struct work *work, enum remark_kind kind,
                                  const char *subject)
{
    for (size_t i = 0; i < work->adoption->remark_count; i++) {
        struct remark *remark = &work->adoption->remarks[i];
        if (remark->kind == kind && address_compare(remark->subject, subject) == 0)
            return remark;
    }
    return NULL;
}

/* Ignores whom the line is about, if a pattern covers them and nobody else. */
static int ignore(struct work *work, const struct line *line)
{
    struct members *members = work->adoption->members;
    if (members_ignored_by(members, line->email))
        return 0;
    _cleanup_free_ char *pattern = address_pattern(line->email);
    if (!pattern)
        return -ENOMEM;
    if (*pattern == '\0' || covers_others(work, pattern, line->email))
        return 0;
    int r = members_ignore(members, pattern);
    if (r < 0)
        return r;
    const char *ignored = members->ignore[members->ignore_count - 1];
    struct remark *faulty = find_remark(work, REMARK_ADDRESS, line->email);
    if (faulty) {
        faulty->ignored = ignored;
        return 0;
    }
    return remark_on(work, line->email,
                     (struct remark){.kind = REMARK_IGNORED,
                                     .ignored = ignored,
                                     .action = line->action,
                                     .reason = line->reason});
}

static int remark_on_change(struct work *work, const struct line *line)
{
    if (find_remark(work, REMARK_OUT_OF_SYNC, line->email))
        return 0;
    return remark_on(work, line->email,
                     (struct remark){.kind = REMARK_OUT_OF_SYNC,
                                     .action = line->action,
                                     .reason = line->reason});
}

/* Whether the line changes something, or will once a user has been watched for long enough. */
static bool changes(const struct line *line)
{
    return action_writes(line->action) || line->reason == REASON_REMOVAL_DUE;
}

/* Plans as strictly as any mode and policy would, and treats each change. */
static int plan_strictly(struct work *work,
                         int (*treat)(struct work *work, const struct line *line))
{
    struct plan_inputs inputs = *work->inputs;
    _cleanup_(plan_free_pointer) struct plan *plan = NULL;
    inputs.members = work->adoption->members;
    inputs.users_mode = inputs.users ? USERS_MANAGE : USERS_OFF;
    inputs.remove_after = 0;
    inputs.create_only = false;
    int r = plan_build(&inputs, &plan);
    for (size_t i = 0; r == 0 && i < plan->lines.count; i++)
        if (changes(&plan->lines.items[i]))
            r = treat(work, &plan->lines.items[i]);
    return r;
}

/* Nobody is both declared and ignored. */
static void drop_ignored(struct work *work)
{
    struct members *members = work->adoption->members;
    assert(work->adoption->origins || members->count == 0);
    size_t kept = 0;
    for (size_t i = 0; i < members->count; i++) {
        if (members_ignored_by(members, members->items[i].email)) {
            member_clear(&members->items[i]);
            continue;
        }
        work->adoption->origins[kept] = work->adoption->origins[i];
        members->items[kept++] = members->items[i];
    }
    members->count = kept;
}

/* ---- all ----------------------------------------------------------------------------------- */

static int compare_remarks(const void *a, const void *b)
{
    const struct remark *left = a, *right = b;
    int order = address_compare(left->subject, right->subject);
    return order != 0 ? order : (int)left->kind - (int)right->kind;
}

static int fill(struct work *work)
{
    int r = find_invites(work);
    if (r == 0)
        r = find_users(work);
    if (work->count > 1)
        qsort(work->found, work->count, sizeof *work->found, compare_found);
    if (r == 0)
        r = adopt_all(work);
    if (r == 0)
        r = plan_strictly(work, ignore);
    if (r < 0)
        return r;
    drop_ignored(work);
    r = plan_strictly(work, remark_on_change);
    if (work->adoption->remark_count > 1)
        qsort(work->adoption->remarks, work->adoption->remark_count,
              sizeof *work->adoption->remarks, compare_remarks);
    return r;
}

int adoption_build(const struct plan_inputs *inputs, struct adoption **ret)
{
    _cleanup_(adoption_free_pointer) struct adoption *adoption = calloc(1, sizeof *adoption);
    if (!adoption || !(adoption->members = calloc(1, sizeof *adoption->members)))
        return -ENOMEM;
    adoption->users_listed = inputs->users != NULL;
    struct work work = {.inputs = inputs, .adoption = adoption};
    int r = fill(&work);
    free(work.found);
    if (r == 0)
        *ret = TAKE(adoption);
    return r;
}

void adoption_free(struct adoption *adoption)
{
    if (adoption->members)
        members_free(adoption->members);
    free(adoption->origins);
    for (size_t i = 0; i < adoption->remark_count; i++)
        free(adoption->remarks[i].subject);
    free(adoption->remarks);
    free(adoption);
}

bool adoption_in_sync(const struct adoption *adoption)
{
    for (size_t i = 0; i < adoption->remark_count; i++)
        if (adoption->remarks[i].kind == REMARK_OUT_OF_SYNC)
            return false;
    return true;
}
