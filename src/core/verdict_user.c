/* The rows of the verdict table that concern a user: somebody who is a member already. */
#include "verdict.h"

#include <errno.h>

#include "address.h"

/* Nobody's projects: a user's are neither listed nor compared. */
static const struct projects none;

/* The user under judgement. */
struct judgement {
    const struct plan_inputs *inputs;
    const struct person *person;
    const struct user *user;
    struct lines *lines;
};

static int add(const struct judgement *j, enum action action, enum reason reason)
{
    struct lines *lines = j->lines;
    if (RESERVE(lines->items, lines->count) < 0)
        return -ENOMEM;
    const struct member *member = j->person->member;
    bool wished = action == ACTION_SET_ROLE && member;
    lines->items[lines->count++] = (struct line){
        .action = action,
        .reason = reason,
        .email = member ? member->email : j->person->address,
        .role = wished ? member->role : j->user->role,
        .projects = &none,
        .member = member,
        .user = j->user,
    };
    return 0;
}

/* Whether users are written to at all. */
static bool manages(const struct plan_inputs *inputs)
{
    return inputs->users_mode == USERS_MANAGE && !inputs->create_only;
}

static enum action unless_observing(const struct judgement *j, enum action action)
{
    return manages(j->inputs) ? action : ACTION_ATTENTION;
}

/* Whether the file protects the user, by the address they have or by the one they are known by. */
static bool is_protected(const struct judgement *j)
{
    const struct members *members = j->inputs->members;
    const struct ledger_user *known = ledger_find_user(j->inputs->ledger, j->user->id);
    return members_protects(members, j->user->email) ||
           (known && members_protects(members, known->email));
}

static int judge_role(const struct judgement *j)
{
    const struct user *user = j->user;
    if (user->role == j->person->member->role)
        return add(j, ACTION_KEEP, REASON_MEMBER);
    if (user->is_scim_managed)
        return add(j, ACTION_ATTENTION, REASON_SCIM_MANAGED);
    if (user->role == ROLE_OWNER && is_protected(j))
        return add(j, ACTION_ATTENTION, REASON_PROTECTED);
    return add(j, unless_observing(j, ACTION_SET_ROLE), REASON_USER_ROLE_DIFFERS);
}

/* A user whom the file does not declare, or no longer. */
static int judge_stranger(const struct judgement *j, enum reason reason)
{
    const struct plan_inputs *inputs = j->inputs;
    if (is_protected(j))
        return add(j, ACTION_KEEP, REASON_PROTECTED);
    if (j->user->is_scim_managed)
        return add(j, ACTION_ATTENTION, REASON_SCIM_MANAGED);
    if (!manages(inputs))
        return add(j, ACTION_ATTENTION, reason);
    uint64_t due_in = ledger_removal_due(inputs->ledger, j->user->id, inputs->remove_after);
    if (due_in == 0)
        return add(j, ACTION_REMOVE, reason);
    int r = add(j, ACTION_ATTENTION, REASON_REMOVAL_DUE);
    if (r >= 0)
        j->lines->items[j->lines->count - 1].due_in = due_in;
    return r;
}

int verdict_on_user(const struct plan_inputs *inputs, const struct person *person,
                    const struct user *user, struct lines *lines)
{
    const struct judgement judgement = {inputs, person, user, lines}, *j = &judgement;
    if (user->is_service_account)
        return add(j, ACTION_KEEP, REASON_SERVICE_ACCOUNT);
    if (!user->email)
        return add(j, ACTION_ATTENTION, REASON_NO_EMAIL);
    if (user->role == ROLE_UNKNOWN)
        return add(j, ACTION_ATTENTION, REASON_UNKNOWN_STATUS);
    /* They go by the address that the file knows; the service states another one. */
    if (address_compare(user->email, person->address) != 0)
        return add(j, ACTION_ATTENTION, REASON_EMAIL_CHANGED);
    switch (member_standing(person->member, inputs->now)) {
    case STANDING_DECLARED:
        return judge_role(j);
    case STANDING_NOT_BEGUN:
        return add(j, ACTION_ATTENTION, REASON_MEMBERSHIP_NOT_BEGUN);
    case STANDING_ENDED:
        return judge_stranger(j, REASON_MEMBERSHIP_ENDED);
    case STANDING_UNDECLARED:
        return judge_stranger(j, REASON_USER_UNDECLARED);
    }
    return 0;
}

bool verdict_counts_as_undeclared(const struct members *members, const struct user *user,
                                  int64_t now)
{
    if (user->is_service_account || user->is_scim_managed || !user->email ||
        user->role == ROLE_UNKNOWN || members_ignored_by(members, user->email) ||
        members_protects(members, user->email))
        return false;
    enum member_standing standing = member_standing(members_find(members, user->email), now);
    return standing == STANDING_UNDECLARED || standing == STANDING_ENDED;
}
