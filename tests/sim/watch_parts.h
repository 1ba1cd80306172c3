/* What the parts of the watch share. */
#pragma once

#include "watch.h"

/* Sets of texts: of addresses, whose case does not count, and of ids, whose case does. */
bool watch_has(char *const *set, size_t count, const char *text);
bool watch_has_id(char *const *set, size_t count, const char *id);
void watch_put(char ***set, size_t *count, const char *text);
void watch_drop(char ***set, size_t *count);

/* The member with that address, if the membership has begun and not ended. */
const struct member *watch_declared(const struct watch *watch, const char *email);
/* The member with that address, whatever the dates. */
const struct member *watch_in_file(const struct watch *watch, const char *email);
bool watch_is_ignored(const struct watch *watch, const char *email);
/* Whether this id is known to be gone, of an invite or a user. */
bool watch_is_gone(const struct watch *watch, const char *id);
/* Whether an invite of the address has a status or role of an unknown word. */
bool watch_is_obscure(const struct watch *watch, const char *email);
/* That a write is in order at all; `whom` is it about. */
void watch_check_may_write(struct watch *watch, const char *whom);
/* Owners made by invites in this pass. */
void watch_check_owner_limit(struct watch *watch);

/* ---- of users ------------------------------------------------------------------------------ */

bool watch_lists_users(const struct watch *watch);
/* Whether users are written to. */
bool watch_manages(const struct watch *watch);
void watch_users_clear_pass(struct watch_users *users);
void watch_users_clear(struct watch_users *users);
void watch_users_page(struct watch *watch, const struct answer *answer, const char *cursor);
void watch_users_check_complete(struct watch *watch);
void watch_users_request(struct watch *watch, const struct request *request);
void watch_users_answer(struct watch *watch, const struct answer *answer,
                        const struct request *request);
/* Takes in what the listing says, once the plan is made. */
void watch_users_learn(struct watch *watch);
void watch_users_saved(struct watch_users *users);
void watch_users_new_process(struct watch_users *users);
void watch_users_forget(struct watch_users *users);
/* The user of that address whom the listing shows and who is not known to be gone, or NULL. */
const struct user *watch_user_of(const struct watch *watch, const char *email);
/* Whether the listing shows such a user, gone meanwhile or not. */
bool watch_was_user(const struct watch *watch, const char *email);
/* Whether a user was delivered of whom no e-mail is stated; and one of whom none ever was. */
bool watch_has_nameless(const struct watch *watch);
bool watch_has_strange_nameless(const struct watch *watch);
/* Whether a user was known by that address, which the service no longer states. */
bool watch_was_renamed(const struct watch *watch, const char *email);
/*
 * Whether the user of the invite's address may just have accepted this very one: one of the
 * listings may lag.
 */
bool watch_may_be_accepted(const struct watch *watch, const struct invite *invite);
void watch_users_check_result(struct watch *watch, const struct line *line);
void watch_users_converged(struct watch *watch, bool removed);
/* Whether the organisation bears out why a user is left alone. */
bool watch_users_bear_out(const struct watch *watch, const struct line *line);
/* Whether the address has a user, as it is. */
bool watch_is_user(const struct watch *watch, const char *email);
