/* The plan: joins members, invites and users by address, orders the lines, applies the limits. */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

/* The invites and users that count, sorted by whom they belong to. */
struct view {
    struct sighting *sightings;
    size_t count;
    struct acquaintance *users;
    size_t user_count;
    bool nameless; /* somebody among them has no address: nobody knows who that is */
    const struct ledger_wish **by_invite; /* wishes that an invite answers, sorted by its id */
    size_t answered_count;
};

static void view_clear(struct view *view)
{
    free(view->sightings);
    free(view->users);
    free(view->by_invite);
}

static int compare_answered(const void *a, const void *b)
{
    const struct ledger_wish *const *left = a, *const *right = b;
    return strcmp((*left)->invite_id, (*right)->invite_id);
}

static int compare_sightings(const void *a, const void *b)
{
    const struct sighting *left = a, *right = b;
    int order = address_compare(left->address, right->address);
    return order != 0 ? order : strcmp(left->invite->id, right->invite->id);
}

static int index_answered(const struct ledger *ledger, struct view *view)
{
    view->by_invite = calloc(ledger->wish_count + 1, sizeof(struct ledger_wish *));
    if (!view->by_invite)
        return -ENOMEM;
    for (size_t i = 0; i < ledger->wish_count; i++)
        if (ledger->wishes[i]->invite_id)
            view->by_invite[view->answered_count++] = ledger->wishes[i];
    if (view->answered_count > 1)
        qsort(view->by_invite, view->answered_count, sizeof(struct ledger_wish *),
              compare_answered);
    return 0;
}

static const struct ledger_wish *wish_behind(const struct view *view, const char *invite_id)
{
    struct ledger_wish key = {.invite_id = (char *)invite_id};
    const struct ledger_wish *key_pointer = &key;
    if (view->answered_count == 0)
        return NULL;
    const struct ledger_wish **found = bsearch(&key_pointer, view->by_invite, view->answered_count,
                                               sizeof(struct ledger_wish *), compare_answered);
    return found ? *found : NULL;
}

static int sight(struct view *view, const struct invite *invite, bool assumed)
{
    if (RESERVE(view->sightings, view->count) < 0)
        return -ENOMEM;
    const struct ledger_wish *ours = wish_behind(view, invite->id);
    view->sightings[view->count++] =
        (struct sighting){.address = ours ? ours->email : invite->email,
                          .invite = invite,
                          .ours = ours,
                          .assumed = assumed};
    return 0;
}

/* Until settle has passed, a deleted invite counts as gone though the listing shows it. */
static int sight_listed(const struct plan_inputs *inputs, struct view *view)
{
    const struct invites *invites = listing_invites(inputs->listing);
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (ledger_hides(inputs->ledger, invite->id, inputs->begun, inputs->settle))
            continue;
        int r = sight(view, invite, false);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Until settle has passed, an answered create counts as pending though the listing lacks it. */
static bool is_assumed(const struct plan_inputs *inputs, const struct ledger_wish *wish)
{
    return wish->state == CREATE_ANSWERED && wish->invite_id &&
           (inputs->begun < wish->at || inputs->begun - wish->at < inputs->settle) &&
           !listing_find(inputs->listing, wish->invite_id);
}

static int assume(struct plan *plan, const struct ledger_wish *wish)
{
    struct invite invite = {.role = wish->role, .status = INVITE_PENDING, .created_at = wish->wall};
    invite.id = strdup(wish->invite_id);
    invite.email = strdup(wish->email);
    if (!invite.id || !invite.email || projects_copy(&wish->projects, &invite.projects) < 0 ||
        invites_add(&plan->assumed, &invite) < 0) {
        invite_clear(&invite);
        return -ENOMEM;
    }
    return 0;
}

static int sight_assumed(const struct plan_inputs *inputs, struct view *view, struct plan *plan)
{
    for (size_t i = 0; i < inputs->ledger->wish_count; i++)
        if (is_assumed(inputs, inputs->ledger->wishes[i]) &&
            assume(plan, inputs->ledger->wishes[i]) < 0)
            return -ENOMEM;
    /* Only now that the array grows no more may its items be pointed at. */
    for (size_t i = 0; i < plan->assumed.count; i++) {
        const struct invite *invite = &plan->assumed.items[i];
        int r = sight(view, invite, true);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- users --------------------------------------------------------------------------------- */

/* Whether the user owns the organisation, and no write of ours may have changed that. */
static bool is_sure_owner(const struct plan_inputs *inputs, const struct user *user)
{
    return user->role == ROLE_OWNER &&
           !ledger_deposes(inputs->ledger, user->id, inputs->users_begun, inputs->settle);
}

static int meet(struct view *view, const char *address, const struct user *user)
{
    if (RESERVE(view->users, view->user_count) < 0)
        return -ENOMEM;
    view->users[view->user_count++] = (struct acquaintance){.address = address, .user = user};
    return 0;
}

/*
 * A user is known by id first. Where their e-mail at the service has changed, they are the person
 * of the old address as long as the file has that, and of the new one only if it has both. Where
 * the service states none any more, they are the person of the old one if the file has that.
 */
static int meet_user(const struct plan_inputs *inputs, struct view *view, const struct user *user)
{
    const struct ledger_user *known = ledger_find_user(inputs->ledger, user->id);
    if (!user->email) {
        bool has_old = known && members_have(inputs->members, known->email);
        view->nameless |= !has_old && !user->is_service_account;
        return meet(view, has_old ? known->email : user->id, user);
    }
    bool renamed = known && address_compare(known->email, user->email) != 0;
    int r = renamed ? meet(view, known->email, user) : 0;
    if (r >= 0 && (!renamed || members_find(inputs->members, user->email)))
        r = meet(view, user->email, user);
    return r;
}

static int compare_acquaintances(const void *a, const void *b)
{
    const struct acquaintance *left = a, *right = b;
    int order = address_compare(left->address, right->address);
    return order != 0 ? order : strcmp(left->user->id, right->user->id);
}

/* Until settle has passed, a removed user counts as gone though the listing shows them. */
static int meet_all(const struct plan_inputs *inputs, struct view *view, struct plan *plan)
{
    const struct users *users = inputs->users ? listing_users(inputs->users) : NULL;
    for (size_t i = 0; users && i < users->count; i++) {
        const struct user *user = &users->items[i];
        if (ledger_hides(inputs->ledger, user->id, inputs->users_begun, inputs->settle))
            continue;
        plan->people += !user->is_service_account;
        plan->owners += !user->is_service_account && is_sure_owner(inputs, user);
        int r = meet_user(inputs, view, user);
        if (r < 0)
            return r;
    }
    if (view->user_count > 1)
        qsort(view->users, view->user_count, sizeof *view->users, compare_acquaintances);
    return 0;
}

/* ---- the join ------------------------------------------------------------------------------ */

/* The least of the addresses that the three sorted sides have next; NULL at the end. */
static const char *next_address(const struct members *members, size_t m, const struct view *view,
                                size_t s, size_t u)
{
    const char *sides[] = {m < members->count ? members->items[m].email : NULL,
                           s < view->count ? view->sightings[s].address : NULL,
                           u < view->user_count ? view->users[u].address : NULL};
    const char *least = NULL;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (sides[i] && (!least || address_compare(sides[i], least) < 0))
            least = sides[i];
    return least;
}

/* Walks the sorted sides and judges each address that one of them knows. */
static int judge_all(const struct plan_inputs *inputs, const struct view *view, struct plan *plan)
{
    const struct members *members = inputs->members;
    size_t m = 0, s = 0, u = 0;
    for (const char *address; (address = next_address(members, m, view, s, u));) {
        struct person person = {.address = address,
                                .sightings = view->sightings + s,
                                .users = view->users + u,
                                .may_be_nameless = view->nameless};
        if (m < members->count && address_compare(members->items[m].email, address) == 0)
            person.member = &members->items[m++];
        for (; s < view->count && address_compare(view->sightings[s].address, address) == 0; s++)
            person.count++;
        for (; u < view->user_count && address_compare(view->users[u].address, address) == 0; u++)
            person.user_count++;
        int r = verdict_on(inputs, &person, &plan->lines);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- owners -------------------------------------------------------------------------------- */

/* Whether the line takes an owner away: by removal, or by a lesser role. */
static bool loses_owner(const struct line *line)
{
    return action_concerns_user(line->action) && line->user->role == ROLE_OWNER;
}

static bool makes_owner(const struct line *line)
{
    return line->action == ACTION_SET_ROLE && line->role == ROLE_OWNER;
}

/* Owners whom the plan takes from those that are sure to be ones. */
static size_t count_lost_owners(const struct plan_inputs *inputs, const struct plan *plan)
{
    size_t lost = 0;
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        lost += loses_owner(line) && is_sure_owner(inputs, line->user);
    }
    return lost;
}

/* An organisation without an owner could not be mended by anybody: no approval leads there. */
static void spare_last_owners(const struct plan_inputs *inputs, struct plan *plan)
{
    if (count_lost_owners(inputs, plan) < plan->owners)
        return;
    for (size_t i = 0; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i];
        if (!loses_owner(line))
            continue;
        line->action = ACTION_ATTENTION;
        line->reason = REASON_LAST_OWNER;
        line->role = ROLE_OWNER;
    }
}

/* ---- order and limits ---------------------------------------------------------------------- */

/* A duplicate is revoked before its person's replacement is made: the service may insist on it. */
static void mark_first_clear(struct plan *plan)
{
    for (size_t i = 1; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i], *before = &plan->lines.items[i - 1];
        bool same = address_compare(line->email, before->email) == 0;
        line->first_clear = same && line->action == ACTION_REVOKE &&
                            (before->action == ACTION_REPLACE || before->first_clear);
    }
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    enum action left_kind = left->first_clear ? ACTION_REPLACE : left->action;
    enum action right_kind = right->first_clear ? ACTION_REPLACE : right->action;
    if (left_kind != right_kind)
        return (int)left_kind - (int)right_kind;
    int order = address_compare(left->email, right->email);
    if (order == 0)
        order = (int)right->first_clear - (int)left->first_clear;
    if (order == 0 && left->invite && right->invite)
        order = strcmp(left->invite->id, right->invite->id);
    if (order == 0 && left->user && right->user)
        order = strcmp(left->user->id, right->user->id);
    /* Of one person, what is said of the invites comes first. */
    return order != 0 ? order : (left->user != NULL) - (right->user != NULL);
}

static unsigned limits_of(const struct line *line, unsigned exceeded)
{
    unsigned applies = LIMIT_VANISHED | LIMIT_USERS_VANISHED;
    if (line->action == ACTION_REVOKE || line->action == ACTION_REPLACE)
        applies |= LIMIT_REVOCATIONS | LIMIT_REVOCATION_RATIO;
    if (action_mails(line->action))
        applies |= LIMIT_INVITES;
    if ((action_mails(line->action) && line->role == ROLE_OWNER) || makes_owner(line))
        applies |= LIMIT_OWNER_INVITES;
    if (line->action == ACTION_REMOVE)
        applies |= LIMIT_REMOVALS | LIMIT_REMOVAL_RATIO;
    if (loses_owner(line))
        applies |= LIMIT_MIN_OWNERS;
    return action_writes(line->action) ? applies & exceeded : 0;
}

static void apply_limits(const struct plan_inputs *inputs, struct plan *plan)
{
    struct limit_figures figures = {
        .live = plan->live,
        .listed = plan->listed,
        .live_before = inputs->ledger->live,
        .people = plan->people,
        .users_before = inputs->users ? inputs->ledger->people : -1,
        .owners_left = plan->owners - count_lost_owners(inputs, plan),
    };
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        unsigned applies = limits_of(line, ~0u);
        figures.revocations += (applies & LIMIT_REVOCATIONS) != 0;
        figures.invites += (applies & LIMIT_INVITES) != 0;
        figures.owner_invites += (applies & LIMIT_OWNER_INVITES) != 0;
        figures.removals += (applies & LIMIT_REMOVALS) != 0;
        figures.owners_lost += (applies & LIMIT_MIN_OWNERS) != 0;
    }
    plan->excess_count = limits_check(inputs->limits, &figures, plan->excess);
    unsigned exceeded = 0;
    for (size_t i = 0; i < plan->excess_count; i++)
        exceeded |= plan->excess[i].limit;
    for (size_t i = 0; i < plan->lines.count; i++)
        plan->lines.items[i].blocked_by = limits_of(&plan->lines.items[i], exceeded);
}

static size_t count_live(const struct plan_inputs *inputs, const struct view *view)
{
    size_t live = 0;
    for (size_t i = 0; i < view->count; i++)
        live += invite_is_live(view->sightings[i].invite, inputs->now);
    return live;
}

static int fill(const struct plan_inputs *inputs, struct view *view, struct plan *plan)
{
    if (index_answered(inputs->ledger, view) < 0 || sight_listed(inputs, view) < 0)
        return -ENOMEM;
    plan->listed = count_live(inputs, view);
    if (sight_assumed(inputs, view, plan) < 0)
        return -ENOMEM;
    plan->live = count_live(inputs, view);
    if (view->count > 1)
        qsort(view->sightings, view->count, sizeof *view->sightings, compare_sightings);
    int r = meet_all(inputs, view, plan);
    if (r >= 0)
        r = judge_all(inputs, view, plan);
    if (r < 0)
        return r;
    spare_last_owners(inputs, plan);
    mark_first_clear(plan);
    if (plan->lines.count > 1)
        qsort(plan->lines.items, plan->lines.count, sizeof *plan->lines.items, compare_lines);
    apply_limits(inputs, plan);
    return 0;
}

int plan_build(const struct plan_inputs *inputs, struct plan **ret)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return -ENOMEM;
    struct view view = {0};
    int r = fill(inputs, &view, plan);
    view_clear(&view);
    if (r < 0) {
        plan_free(plan);
        return r;
    }
    *ret = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++) {
        free(plan->lines.items[i].error);
        free(plan->lines.items[i].request_id);
        free(plan->lines.items[i].invite_id);
    }
    free(plan->lines.items);
    free(plan->approval);
    invites_clear(&plan->assumed);
    free(plan);
}

size_t plan_count(const struct plan *plan, enum action action)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++)
        n += plan->lines.items[i].action == action;
    return n;
}

size_t plan_count_blocked(const struct plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++)
        n += plan->lines.items[i].blocked_by != 0;
    return n;
}

size_t plan_count_result(const struct plan *plan, enum result result)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++)
        n += plan->lines.items[i].result == result;
    return n;
}

bool plan_in_sync(const struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++)
        if (action_writes(plan->lines.items[i].action))
            return false;
    return true;
}

/* Each field carries its length, so that no text can pass itself off as another field. */
static void put(FILE *out, const char *field)
{
    fprintf(out, "%zu:%s;", field ? strlen(field) : 0, field ? field : "");
}

static void put_address(FILE *out, const char *address)
{
    fprintf(out, "%zu:", strlen(address));
    for (; *address; address++)
        fputc(*address >= 'A' && *address <= 'Z' ? *address - 'A' + 'a' : *address, out);
    fputc(';', out);
}

static void put_line(FILE *out, const struct line *line)
{
    put(out, action_word(line->action));
    put_address(out, line->email);
    put(out, role_word(line->role));
    fprintf(out, "%d;", line->projects->given);
    for (size_t i = 0; i < line->projects->count; i++) {
        put(out, line->projects->items[i].id);
        put(out, project_role_word(line->projects->items[i].role));
    }
    put(out, line->invite ? line->invite->id : NULL);
    if (line->user)
        put(out, line->user->id);
    fputc('\n', out);
}

/*
 * Who approved the same lines by a listing that could be believed, or while they left owners
 * enough, has not seen that it is otherwise now.
 */
static bool is_news_for_approver(enum limit limit)
{
    return limit == LIMIT_VANISHED || limit == LIMIT_USERS_VANISHED || limit == LIMIT_MIN_OWNERS;
}

char *plan_blocked_text(const struct plan *plan, const struct ledger *ledger)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    put(out, ledger->base_url);
    put(out, ledger->organization);
    fprintf(out, "%u\n", ledger->approvals_used);
    for (size_t i = 0; i < plan->excess_count; i++)
        if (is_news_for_approver(plan->excess[i].limit))
            put(out, limit_word(plan->excess[i].limit));
    for (size_t i = 0; i < plan->lines.count; i++)
        if (plan->lines.items[i].blocked_by != 0)
            put_line(out, &plan->lines.items[i]);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool plan_approval_is_done(const struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++)
        if (plan->lines.items[i].approved && plan->lines.items[i].result != RESULT_DONE)
            return false;
    return plan->approved;
}

void plan_approve(struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i];
        line->approved = line->blocked_by != 0;
        line->blocked_by = 0;
    }
    plan->approved = true;
}
