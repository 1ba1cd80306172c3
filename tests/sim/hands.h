/* What others do to the organisation meanwhile: people who accept, and other administrators. */
#pragma once

#include "people.h"
#include "tally.h"

/*
 * Something happens to an invite or a user. Returns the id of what it happened to, which the
 * organisation owns; NULL: there was nothing that it could happen to.
 */
const char *hands_strike(enum fault_kind kind, struct people *people, struct org *org);
/* Another administrator changes the user in one way or another, or removes it. */
void hands_change_user(struct people *people, struct org *org, struct org_user *user);
/* An invite that is live, by chance; NULL: there is none. */
struct org_invite *hands_any_live(struct org *org);
