/* The ledger: refused, or read into something that is written and read again as the same. */
#include "fuzz.h"

#include <jansson.h>

#include "codec/ledgertext.h"

static void check_wishes(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        MUST(wish->role != ROLE_UNKNOWN);
        MUST(wish->wall > -(INT64_C(1) << 51) && wish->wall < INT64_C(1) << 51);
        MUST(!wish->lost.id || wish->lost.role != ROLE_UNKNOWN);
        MUST(ledger_find(ledger, wish->email, wish->role, &wish->projects) == wish);
        size_t count;
        struct ledger_wish **neighbours = ledger_of_address(ledger, wish->email, &count);
        bool among = false;
        for (size_t j = 0; j < count; j++)
            among |= neighbours[j] == wish;
        MUST(among);
        if (wish->state == CREATE_BEGUN || wish->state == CREATE_UNKNOWN)
            MUST(ledger_is_open(ledger, wish->email));
    }
}

static void check_users(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->user_count; i++) {
        const struct ledger_user *user = &ledger->users[i];
        MUST(ledger_find_user(ledger, user->id) == user && user->email);
        MUST(user->passes > 0 || (user->undeclared == 0 && user->at == 0));
        /* In however many passes, nobody is due who was not watched. */
        uint64_t due = ledger_removal_due(ledger, user->id, UINT64_C(1) << 62);
        MUST(due > 0 && due <= UINT64_C(1) << 62);
        MUST(user->passes >= 2 || ledger_removal_due(ledger, user->id, 0) > 0);
    }
}

static char *check_round_trip(const struct ledger *ledger)
{
    _cleanup_(ledger_free_pointer) struct ledger *read = NULL;
    _cleanup_free_ char *text = ledgertext_write(ledger), *error = NULL;
    MUST(text);
    MUST(ledgertext_read(text, strlen(text), &read, &error) == 0);
    MUST(read->wish_count == ledger->wish_count);
    MUST(read->deletion_count == ledger->deletion_count);
    MUST(read->user_count == ledger->user_count);
    MUST(read->deposed_count == ledger->deposed_count);
    char *again = ledgertext_write(read);
    MUST(again && strcmp(again, text) == 0);
    return again;
}

/* Whether `to` has all of `keys`, and the same there as `from`. */
static bool is_kept(const json_t *from, const json_t *to, const char *const *keys)
{
    for (; *keys; keys++)
        if (!json_equal(json_object_get(from, *keys), json_object_get(to, *keys)))
            return false;
    return true;
}

/* Whether the list has an item that is the same as far as `keys` go. */
static bool has_item(const json_t *list, const json_t *wanted, const char *const *keys)
{
    size_t i, projects = json_array_size(json_object_get(wanted, "projects"));
    bool lost = json_object_get(wanted, "lost") != NULL;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (is_kept(wanted, item, keys) && lost == (json_object_get(item, "lost") != NULL) &&
            projects == json_array_size(json_object_get(item, "projects")))
            return true;
    }
    return false;
}

static void check_list(const json_t *before, const json_t *after, const char *const *keys)
{
    size_t i;
    json_t *item;
    MUST(json_array_size(before) == json_array_size(after));
    json_array_foreach(before, i, item)
    {
        MUST(has_item(after, item, keys));
    }
}

/* The same users in the same order, each with its time where that runs. */
static void check_users_kept(const json_t *before, const json_t *after)
{
    static const char *const keys[] = {"people", "observer", NULL};
    static const char *const user_keys[] = {"id", "email", NULL};
    static const char *const time_keys[] = {"passes", "undeclared", "at", NULL};
    const json_t *from = json_object_get(before, "seen"), *to = json_object_get(after, "seen");
    size_t i;
    json_t *item;
    MUST(!before == !after);
    if (!before)
        return;
    MUST(is_kept(before, after, keys));
    MUST(json_array_size(from) == json_array_size(to));
    json_array_foreach(from, i, item)
    {
        const json_t *kept = json_array_get(to, i);
        MUST(is_kept(item, kept, user_keys));
        MUST(!json_object_get(item, "passes") || is_kept(item, kept, time_keys));
    }
}

/* What was read is what stood there: nothing is lost or changed on the way into memory and out. */
static void check_kept(const char *data, size_t size, const char *written)
{
    static const char *const keys[] = {"schema",         "base_url", "organization", "boot", "live",
                                       "approvals_used", "suspect",  "suspect_at",   NULL};
    static const char *const deletion_keys[] = {"id", "at", NULL};
    static const char *const wish_keys[] = {"email",     "role", "state",  "at",
                                            "wall",      "seen", "mailed", "refused_status",
                                            "invite_id", NULL};
    json_t *before = json_loadb(data, size, 0, NULL), *after = json_loads(written, 0, NULL);
    MUST(is_kept(before, after, keys));
    check_list(json_object_get(before, "deletions"), json_object_get(after, "deletions"),
               deletion_keys);
    check_users_kept(json_object_get(before, "users"), json_object_get(after, "users"));
    check_list(json_object_get(before, "wishes"), json_object_get(after, "wishes"), wish_keys);
    json_decref(before);
    json_decref(after);
}

/* A ledger that was cut short is never taken for a whole one. */
static void check_torn(const char *text)
{
    _cleanup_free_ char *error = NULL;
    struct ledger *read = NULL;
    size_t length = fuzz_cut((const uint8_t *)text, strlen(text));
    MUST(ledgertext_read(text, length, &read, &error) == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(ledger_free_pointer) struct ledger *ledger = NULL;
    _cleanup_free_ char *error = NULL;
    int r = ledgertext_read((const char *)data, size, &ledger, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error && !ledger);
        return 0;
    }
    MUST(ledger && !error && !ledger->dirty);
    check_wishes(ledger);
    check_users(ledger);
    _cleanup_free_ char *text = check_round_trip(ledger);
    check_kept((const char *)data, size, text);
    check_torn(text);
    /* What the next process makes of it can be stored, too. */
    MUST(ledger_adopt(ledger, "another boot", 1000) == 0);
    check_wishes(ledger);
    check_users(ledger);
    free(check_round_trip(ledger));
    return 0;
}
