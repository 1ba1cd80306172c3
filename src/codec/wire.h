/* The JSON of the API's invites and users: bodies that we send, and bodies that come back. */
#pragma once

#include <stddef.h>

#include "core/call.h"

/*
 * The body of a create (API description, InviteRequest): `projects` only if given, never null.
 * The caller owns the string; NULL when memory is short.
 */
char *wire_create_body(const char *email, enum role role, const struct projects *projects);

/* The body of a change of a user's role. The caller owns it; NULL when memory is short. */
char *wire_set_role_body(enum role role);

/*
 * The following read a 2xx body. They return 0; -EBADMSG when the body is not what the call
 * answers, with *ret_error, which the caller owns, saying what is wrong; -ENOMEM.
 * Unknown keys are ignored; unknown statuses and roles read as UNKNOWN.
 */
int wire_read_page(const char *body, size_t length, struct page *ret, char **ret_error);
int wire_read_invite(const char *body, size_t length, struct invite *ret, char **ret_error);
/*
 * Users come in two shapes: with their id, e-mail and name beside the role, or within `user`. An
 * e-mail that is missing, null or empty reads as NULL.
 */
int wire_read_users_page(const char *body, size_t length, struct page *ret, char **ret_error);
int wire_read_user(const char *body, size_t length, struct user *ret, char **ret_error);
/*
 * Of an invite or a user. Any body but one that denies the deletion of `id`, or confirms another's:
 * 2xx has said it all.
 */
int wire_read_deletion(const char *body, size_t length, const char *id, char **ret_error);

/*
 * What an error body says, for people: "HTTP 400: message (code)" from either envelope, or just the
 * status. Hidden characters stay; escape it before it is shown. NULL when memory is short.
 */
char *wire_read_error(int status, const char *body, size_t length);
