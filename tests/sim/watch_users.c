/* The invariants that concern users. */
#include <string.h>
#include <strings.h>

#include "watch_parts.h"

bool watch_lists_users(const struct watch *watch)
{
    return watch->params->users_mode != USERS_OFF;
}

bool watch_manages(const struct watch *watch)
{
    return watch->params->users_mode == USERS_MANAGE && !watch->params->create_only;
}

void watch_users_clear_pass(struct watch_users *users)
{
    users_clear(&users->delivered);
    users_clear(&users->looked);
    free(users->was_shown);
    users->was_shown = NULL;
    users->was_shown_count = 0;
    users->shrunk = users->of_another = users->proven = false;
    users->refused = users->forbidden = false;
    watch_drop(&users->removed, &users->removed_count);
    watch_drop(&users->deposed, &users->deposed_count);
    watch_drop(&users->promoted, &users->promoted_count);
}

void watch_users_clear(struct watch_users *users)
{
    for (size_t i = 0; i < users->known_count; i++) {
        free(users->known[i].id);
        free(users->known[i].email);
        free(users->known[i].saved_email);
    }
    free(users->known);
    for (size_t i = 0; i < users->taken_count; i++)
        free(users->taken[i].id);
    free(users->taken);
}

/* ---- what was delivered -------------------------------------------------------------------- */

static bool same_address(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static void take_copy(struct users *users, const struct user *from)
{
    struct user copy = {.id = strdup(from->id),
                        .email = from->email ? strdup(from->email) : NULL,
                        .role = from->role,
                        .added_at = from->added_at,
                        .is_service_account = from->is_service_account,
                        .is_scim_managed = from->is_scim_managed};
    if (users_add(users, &copy) < 0)
        abort();
}

static const struct user *find(const struct users *users, const char *id)
{
    for (size_t i = users->count; i > 0; i--)
        if (strcmp(users->items[i - 1].id, id) == 0)
            return &users->items[i - 1];
    return NULL;
}

static void drop(struct users *users, const char *id)
{
    size_t kept = 0;
    for (size_t i = 0; i < users->count; i++) {
        if (strcmp(users->items[i].id, id) == 0)
            user_clear(&users->items[i]);
        else
            users->items[kept++] = users->items[i];
    }
    users->count = kept;
}

static void begin_listing(struct watch *watch)
{
    struct watch_users *users = &watch->users;
    users_clear(&users->delivered);
    users->begun = watch->org->now;
    users->shrunk = users->of_another = users->proven = false;
    users->was_shown_count = watch->org->user_count;
    free(users->was_shown);
    users->was_shown = calloc(watch->org->user_count + 1, sizeof *users->was_shown);
    for (size_t i = 0; i < watch->org->user_count; i++)
        users->was_shown[i] = org_shows_user(&watch->org->users[i], watch->org->now);
}

void watch_users_page(struct watch *watch, const struct answer *answer, const char *cursor)
{
    struct watch_users *users = &watch->users;
    users->served = watch->org->now;
    bool refused =
        answer->kind == ANSWER_REFUSED && (answer->status == 404 || answer->status == 400);
    /* What the service no longer knows as a cursor has vanished, or comes again. */
    if (cursor && (refused || (answer->kind == ANSWER_OK && answer->page.users.count == 0)))
        drop(&users->delivered, cursor);
    for (size_t i = 0; i < answer->page.users.count; i++)
        take_copy(&users->delivered, &answer->page.users.items[i]);
}

/* What was shown from the listing's beginning to its end must have been delivered. */
void watch_users_check_complete(struct watch *watch)
{
    struct watch_users *users = &watch->users;
    bool believed = watch->lifted && (watch->seen & LIMIT_USERS_VANISHED) != 0;
    if (users->of_another || (users->shrunk && !believed))
        watch_violated(watch, "write on a listing of users that cannot be true");
    if (users->refused)
        watch_violated(watch, "write without the right to list users");
    /* What was left out where it shrank, whoever approved has seen. */
    if (users->proven || users->shrunk || !watch_lists_users(watch))
        return;
    users->proven = true;
    for (size_t i = 0; i < users->was_shown_count; i++) {
        const struct org_user *user = &watch->org->users[i];
        if (users->was_shown[i] && org_shows_user(user, users->served) &&
            !find(&users->delivered, user->user.id))
            watch_violated(watch, "write after an incomplete listing: user %s was not delivered",
                           user->user.id);
    }
    if (users->was_shown_count == 0 && watch->org->user_count > 0)
        watch_violated(watch, "write without a listing of users");
}

const struct user *watch_user_of(const struct watch *watch, const char *email)
{
    const struct users *delivered = &watch->users.delivered;
    for (size_t i = 0; watch_lists_users(watch) && i < delivered->count; i++)
        if (same_address(delivered->items[i].email, email) &&
            !watch_is_gone(watch, delivered->items[i].id))
            return &delivered->items[i];
    return NULL;
}

bool watch_was_user(const struct watch *watch, const char *email)
{
    const struct users *delivered = &watch->users.delivered;
    for (size_t i = 0; i < delivered->count; i++)
        if (same_address(delivered->items[i].email, email))
            return true;
    return false;
}

bool watch_is_user(const struct watch *watch, const char *email)
{
    return org_user_of(watch->org, email) != NULL;
}

/* ---- what is known of them ----------------------------------------------------------------- */

static struct watch_known *known(const struct watch *watch, const char *id)
{
    for (size_t i = 0; i < watch->users.known_count; i++)
        if (strcmp(watch->users.known[i].id, id) == 0)
            return &watch->users.known[i];
    return NULL;
}

static bool is_protected(const struct watch *watch, const char *email)
{
    return watch_has(watch->members->protected, watch->members->protected_count, email);
}

/* Whether the file says anything about the address. */
static bool concerns_file(const struct watch *watch, const char *email)
{
    return watch_in_file(watch, email) || is_protected(watch, email) ||
           watch_is_ignored(watch, email);
}

/* Whether the user goes by another address than the file's, or by none any more. */
static bool was_renamed(const struct watch *watch, const struct user *user)
{
    const struct watch_known *before = known(watch, user->id);
    return before && before->email && !same_address(before->email, user->email) &&
           concerns_file(watch, before->email);
}

bool watch_was_renamed(const struct watch *watch, const char *email)
{
    const struct users *delivered = &watch->users.delivered;
    for (size_t i = 0; watch_lists_users(watch) && i < delivered->count; i++)
        if (was_renamed(watch, &delivered->items[i]) &&
            !watch_is_gone(watch, delivered->items[i].id) &&
            same_address(known(watch, delivered->items[i].id)->email, email))
            return true;
    return false;
}

static bool is_nameless(const struct watch *watch, const struct user *user)
{
    return !user->email && !user->is_service_account && !watch_is_gone(watch, user->id);
}

bool watch_has_nameless(const struct watch *watch)
{
    const struct users *delivered = &watch->users.delivered;
    for (size_t i = 0; watch_lists_users(watch) && i < delivered->count; i++)
        if (is_nameless(watch, &delivered->items[i]))
            return true;
    return false;
}

bool watch_has_strange_nameless(const struct watch *watch)
{
    const struct users *delivered = &watch->users.delivered;
    for (size_t i = 0; watch_lists_users(watch) && i < delivered->count; i++)
        if (is_nameless(watch, &delivered->items[i]) && !was_renamed(watch, &delivered->items[i]))
            return true;
    return false;
}

/* Whether the user is the person of this address, and not still the one of an older. */
static bool goes_by(const struct watch *watch, const struct user *user, const char *email)
{
    return same_address(user->email, email) &&
           (!was_renamed(watch, user) || watch_declared(watch, email));
}

bool watch_may_be_accepted(const struct watch *watch, const struct invite *invite)
{
    const struct users *users = &watch->users.delivered;
    for (size_t i = 0; i < users->count; i++) {
        const struct user *user = &users->items[i];
        bool lately = watch->date - user->added_at <= 3600;
        if (goes_by(watch, user, invite->email) &&
            (user->added_at == 0 || (lately && invite->created_at <= user->added_at)))
            return true;
    }
    return false;
}

/* Whether nobody wants this user in the organisation, and it is ours to say so. */
static bool is_unwanted(const struct watch *watch, const struct user *user)
{
    if (user->is_service_account || user->is_scim_managed || !user->email ||
        user->role == ROLE_UNKNOWN || watch_is_ignored(watch, user->email) ||
        is_protected(watch, user->email) || was_renamed(watch, user))
        return false;
    const struct member *member = watch_in_file(watch, user->email);
    return !member || (member->ends_at != 0 && member->ends_at <= watch->date);
}

static void set(char **text, const char *value)
{
    if (*text == value || (*text && value && strcmp(*text, value) == 0))
        return;
    if (memory_set(text, value) < 0)
        abort();
}

static struct watch_known *meet(struct watch *watch, const char *id)
{
    struct watch_users *users = &watch->users;
    struct watch_known *there = known(watch, id);
    if (there)
        return there;
    if (RESERVE(users->known, users->known_count) < 0)
        abort();
    users->known[users->known_count] = (struct watch_known){.id = strdup(id)};
    return &users->known[users->known_count++];
}

/* The watch's own clock: it runs while one process looks often enough. */
static void learn_of(struct watch *watch, const struct user *user)
{
    struct watch_users *users = &watch->users;
    struct watch_known *known = meet(watch, user->id);
    if (user->email && (!known->email || !concerns_file(watch, known->email)))
        set(&known->email, user->email);
    if (!is_unwanted(watch, user)) {
        known->passes = 0;
        known->observed = 0;
        return;
    }
    uint64_t since = users->begun - known->at;
    bool watched =
        known->passes > 0 && known->process == users->process && since <= watch->params->watch_gap;
    known->observed += watched ? since : 0;
    known->passes++;
    known->at = users->begun;
    known->process = users->process;
}

void watch_users_learn(struct watch *watch)
{
    struct watch_users *users = &watch->users;
    /* Nobody learns from what cannot be true. */
    if (!watch_lists_users(watch) || users->shrunk)
        return;
    for (size_t i = 0; i < users->delivered.count; i++)
        learn_of(watch, &users->delivered.items[i]);
    for (size_t i = 0; i < users->known_count; i++) {
        struct watch_known *known = &users->known[i];
        if (find(&users->delivered, known->id))
            continue;
        set(&known->email, NULL);
        known->passes = 0;
        known->observed = 0;
    }
}

void watch_users_saved(struct watch_users *users)
{
    for (size_t i = 0; i < users->known_count; i++) {
        struct watch_known *known = &users->known[i];
        set(&known->saved_email, known->email);
        known->saved_passes = known->passes;
        known->saved_process = known->process;
        known->saved_observed = known->observed;
        known->saved_at = known->at;
    }
}

void watch_users_new_process(struct watch_users *users)
{
    users->process++;
    for (size_t i = 0; i < users->known_count; i++) {
        struct watch_known *known = &users->known[i];
        set(&known->email, known->saved_email);
        known->passes = known->saved_passes;
        known->process = known->saved_process;
        known->observed = known->saved_observed;
        known->at = known->saved_at;
    }
}

void watch_users_forget(struct watch_users *users)
{
    for (size_t i = 0; i < users->known_count; i++) {
        struct watch_known *known = &users->known[i];
        set(&known->email, NULL);
        set(&known->saved_email, NULL);
        known->passes = known->saved_passes = 0;
        known->observed = known->saved_observed = 0;
    }
}

/* ---- owners -------------------------------------------------------------------------------- */

/*
 * Whether we took the role or the membership so lately that a listing may still show an owner. What
 * became of it only the organisation knows.
 */
static bool is_taken(const struct watch *watch, const char *id)
{
    const struct watch_users *users = &watch->users;
    const struct org_user *user = org_find_user(watch->org, id);
    for (size_t i = 0; i < users->taken_count; i++)
        if (strcmp(users->taken[i].id, id) == 0 &&
            users->begun < users->taken[i].at + watch->settle)
            return !user || user->user.role != ROLE_OWNER;
    return false;
}

/* It is being taken: sent, or answered. */
static void take(struct watch *watch, const char *id)
{
    struct watch_users *users = &watch->users;
    size_t i = 0;
    while (i < users->taken_count && strcmp(users->taken[i].id, id) != 0)
        i++;
    if (i == users->taken_count) {
        if (RESERVE(users->taken, users->taken_count) < 0)
            abort();
        users->taken[users->taken_count++].id = strdup(id);
    }
    users->taken[i].at = watch->org->now;
}

static void check_owners(struct watch *watch, const char *id)
{
    struct watch_users *users = &watch->users;
    size_t left = 0;
    watch_put(&users->deposed, &users->deposed_count, id);
    take(watch, id);
    for (size_t i = 0; i < users->delivered.count; i++) {
        const struct user *user = &users->delivered.items[i];
        left += user->role == ROLE_OWNER && !user->is_service_account &&
                !watch_is_gone(watch, user->id) && !is_taken(watch, user->id) &&
                !watch_has_id(users->deposed, users->deposed_count, user->id);
    }
    if (left == 0)
        watch_violated(watch, "the last owner is taken: %s", id);
    if (!watch->lifted && left < watch->limits->min_owners)
        watch_violated(watch, "beyond limits.min_owners: %zu left", left);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* The user as listed, unless nothing may be done to it at all. */
static const struct user *check_user(struct watch *watch, const struct request *request)
{
    const char *id = request->user_id, *what = call_word(request->call);
    const struct user *user = find(&watch->users.delivered, id);
    watch_check_may_write(watch, id);
    if (!watch_manages(watch))
        watch_violated(watch, "%s where users are not managed: %s", what, id);
    if (watch->stopped)
        watch_violated(watch, "%s begun after the stop: %s", what, id);
    if (!user)
        watch_violated(watch, "%s of a user that was not listed: %s", what, id);
    else if (user->is_service_account)
        watch_violated(watch, "%s of a service account: %s", what, id);
    else if (user->is_scim_managed)
        watch_violated(watch, "%s of a user managed by SCIM: %s", what, id);
    else if (!user->email)
        watch_violated(watch, "%s of a user without an e-mail: %s", what, id);
    else if (user->role == ROLE_UNKNOWN || watch_is_obscure(watch, user->email))
        watch_violated(watch, "%s of a user of an unknown role or status: %s", what, id);
    else if (watch_is_ignored(watch, user->email))
        watch_violated(watch, "%s of an ignored user: %s", what, user->email);
    else if (was_renamed(watch, user) &&
             (request->call == CALL_DELETE_USER || !watch_declared(watch, user->email)))
        watch_violated(watch, "%s of a renamed user: %s, once %s", what, user->email,
                       known(watch, id)->email);
    else
        return user;
    return NULL;
}

static void check_set_role(struct watch *watch, const struct request *request)
{
    const struct user *user = check_user(watch, request);
    if (!user)
        return;
    const struct member *member = watch_declared(watch, user->email);
    if (!member || member->role != request->role)
        watch_violated(watch, "a role that nobody declared: %s for %s", role_word(request->role),
                       user->email);
    if (user->role == request->role)
        watch_violated(watch, "the role is set that is there: %s", user->email);
    if (request->role == ROLE_OWNER) {
        watch_put(&watch->users.promoted, &watch->users.promoted_count, user->id);
        if (!watch->lifted)
            watch_check_owner_limit(watch);
        return;
    }
    if (is_protected(watch, user->email))
        watch_violated(watch, "a protected owner is demoted: %s", user->email);
    check_owners(watch, user->id);
}

/* Right before, a look has shown the user as the plan knows it. */
static void check_look(struct watch *watch, const struct user *user)
{
    const struct user *look = find(&watch->users.looked, user->id);
    if (!look)
        watch_violated(watch, "removal without a look: %s", user->email);
    else if (!same_address(look->email, user->email) || look->role != user->role ||
             look->is_service_account || look->is_scim_managed)
        watch_violated(watch, "removal of a user that the look showed changed: %s", user->email);
}

static void count_removal(struct watch *watch, const char *id)
{
    struct watch_users *users = &watch->users;
    size_t people = 0, there = 0;
    watch_put(&users->removed, &users->removed_count, id);
    if (watch->lifted)
        return;
    for (size_t i = 0; i < users->delivered.count; i++) {
        const struct user *user = &users->delivered.items[i];
        people += !user->is_service_account;
        there += !user->is_service_account && !watch_is_gone(watch, user->id);
    }
    if (users->removed_count > watch->limits->removals)
        watch_violated(watch, "beyond limits.removals: %zu", users->removed_count);
    if (there >= LIMIT_SHARE_LEAST &&
        (double)users->removed_count > watch->limits->removal_ratio * (double)people)
        watch_violated(watch, "beyond limits.removal_ratio: %zu of %zu", users->removed_count,
                       people);
}

static void check_removal(struct watch *watch, const struct request *request)
{
    const struct user *user = check_user(watch, request);
    if (!user)
        return;
    if (is_protected(watch, user->email))
        watch_violated(watch, "removal of a protected user: %s", user->email);
    if (!is_unwanted(watch, user))
        watch_violated(watch, "removal of a user whom the file has: %s", user->email);
    const struct watch_known *before = known(watch, user->id);
    unsigned passes = before ? before->passes : 0;
    uint64_t observed = before ? before->observed : 0;
    if (passes < 2 || observed < watch->params->remove_after)
        watch_violated(watch, "removal too early: %s, seen for %llu of %llu s by %u passes",
                       user->email, (unsigned long long)(observed / SIM_SECOND),
                       (unsigned long long)(watch->params->remove_after / SIM_SECOND), passes);
    check_look(watch, user);
    count_removal(watch, user->id);
    if (user->role == ROLE_OWNER)
        check_owners(watch, user->id);
}

void watch_users_request(struct watch *watch, const struct request *request)
{
    if (request->call == CALL_RETRIEVE || request->call == CALL_LIST)
        return;
    if (!watch_lists_users(watch))
        watch_violated(watch, "%s where users are off", call_word(request->call));
    else if (request->call == CALL_LIST_USERS && !request->cursor)
        begin_listing(watch);
    else if (request->call == CALL_RETRIEVE_USER)
        (void)check_user(watch, request);
    else if (request->call == CALL_SET_ROLE)
        check_set_role(watch, request);
    else if (request->call == CALL_DELETE_USER)
        check_removal(watch, request);
}

/* ---- answers ------------------------------------------------------------------------------- */

void watch_users_answer(struct watch *watch, const struct answer *answer,
                        const struct request *request)
{
    struct watch_users *users = &watch->users;
    bool ok = answer->kind == ANSWER_OK, refused = answer->kind == ANSWER_REFUSED;
    bool write = request->call == CALL_SET_ROLE || request->call == CALL_DELETE_USER;
    bool gone = refused && answer->status == 404;
    if (write && watch_has_id(users->deposed, users->deposed_count, request->user_id))
        take(watch, request->user_id);
    switch (request->call) {
    case CALL_LIST_USERS:
        users->refused = users->refused || (refused && !request->cursor);
        users->forbidden = users->refused && (answer->status == 401 || answer->status == 403);
        break;
    case CALL_RETRIEVE_USER:
        drop(&users->looked, request->user_id);
        if (ok)
            take_copy(&users->looked, &answer->user);
        break;
    case CALL_DELETE_USER:
        /* Whatever came of it, the next one needs a look of its own. */
        if (answer->kind != ANSWER_LIMITED && answer->kind != ANSWER_UNSENT)
            drop(&users->looked, request->user_id);
        gone = gone || ok;
        break;
    case CALL_SET_ROLE:
        break;
    default:
        return;
    }
    if (gone && request->user_id)
        watch_put(&watch->gone, &watch->gone_count, request->user_id);
    /* A refused write is looked at. */
    watch->requests_most += write && refused && !gone;
}

/* ---- the end ------------------------------------------------------------------------------- */

void watch_users_check_result(struct watch *watch, const struct line *line)
{
    const struct org_user *user = org_find_user(watch->org, line->user->id);
    if (line->action == ACTION_REMOVE && user)
        watch_violated(watch, "done, and the user is still there: %s", line->email);
    if (line->action == ACTION_SET_ROLE && user && user->user.role != line->role &&
        user->set != line->role)
        watch_violated(watch, "done, and the role is another one: %s", line->email);
}

bool watch_users_bear_out(const struct watch *watch, const struct line *line)
{
    for (size_t i = 0; i < watch->org->user_count; i++) {
        const struct org_user *user = &watch->org->users[i];
        if (user->gone_at != SIM_NEVER ||
            (line->reason == REASON_UNKNOWN_STATUS && user->user.role != ROLE_UNKNOWN))
            continue;
        if (watch_has(user->was, user->was_count, line->email) ||
            (line->reason == REASON_UNKNOWN_STATUS && same_address(user->user.email, line->email)))
            return true;
    }
    return false;
}

/* ---- converged ----------------------------------------------------------------------------- */

/* Whether anything may become of the user at all, as the organisation has it. */
static bool may_be_ours(const struct watch *watch, const struct org_user *user)
{
    return org_is_person(user) && user->user.email && !user->user.is_scim_managed &&
           user->user.role != ROLE_UNKNOWN && !watch_is_ignored(watch, user->user.email) &&
           !watch_is_obscure(watch, user->user.email);
}

/* And whether it is sure to: not of somebody who may be known by an older address. */
static bool is_ours(const struct watch *watch, const struct org_user *user)
{
    for (size_t i = 0; i < user->was_count; i++)
        if (concerns_file(watch, user->was[i]))
            return false;
    return may_be_ours(watch, user);
}

/* The role that it is to have; UNKNOWN: it is to be removed. */
static enum role wanted_role(const struct watch *watch, const struct user *user)
{
    const struct member *member = watch_declared(watch, user->email);
    bool is_safe = is_protected(watch, user->email);
    if (!member)
        return is_safe ? user->role : ROLE_UNKNOWN;
    return is_safe && user->role == ROLE_OWNER ? ROLE_OWNER : member->role;
}

/* Whether no owner is to stay one: then all of them do. */
static bool spares_owners(const struct watch *watch)
{
    for (size_t i = 0; i < watch->org->user_count; i++) {
        const struct org_user *user = &watch->org->users[i];
        if (!org_is_person(user) || user->user.role != ROLE_OWNER)
            continue;
        if (!may_be_ours(watch, user) || wanted_role(watch, &user->user) == ROLE_OWNER)
            return false;
    }
    return true;
}

void watch_users_converged(struct watch *watch, bool removed)
{
    bool spares = spares_owners(watch);
    bool never = watch->params->remove_after > 0 && !watch->params->observer;
    for (size_t i = 0; watch_manages(watch) && i < watch->org->user_count; i++) {
        const struct org_user *user = &watch->org->users[i];
        if (!is_ours(watch, user) || (spares && user->user.role == ROLE_OWNER))
            continue;
        enum role wanted = wanted_role(watch, &user->user);
        if (wanted == ROLE_UNKNOWN && removed && !never)
            watch_violated(watch, "not converged: user %s is still there", user->user.email);
        if (wanted != ROLE_UNKNOWN && wanted != user->user.role)
            watch_violated(watch, "not converged: user %s has another role", user->user.email);
    }
}
