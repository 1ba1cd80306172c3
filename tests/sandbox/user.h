/* The users of the organisation and the rules of removing and changing them. */
#pragma once

#include "org.h"

extern const char *const user_shape_words[SHAPE_COUNT + 1];

struct user {
    char *id;
    char *email, *name, *role; /* NULL: reads null; the role is kept as written */
    int64_t added_at;
    bool is_service_account, is_scim_managed;
    size_t number;       /* counts up with each user of the organisation */
    int64_t listed_ms;   /* shows in listings from here on… */
    int64_t unlisted_ms; /* …until here, once removed */
    bool removed;        /* kept only until it leaves the listings */
    struct user *before; /* who listings show instead… */
    int64_t before_ms;   /* …until here; NULL: nobody */
};

/* A user with a fresh id that is in no organisation yet; the caller owns it. NULLs read null. */
struct user *user_new(const char *email, const char *name, const char *role);
void user_free(struct user *user);

/* Puts a user into its place by added_at and takes it over. No rule is applied. */
void org_add_user(struct org *org, struct user *user);

/* The user of this id, or the newest of this address, in listings or not; NULL if there is none. */
struct user *org_find_user(const struct org *org, const char *id);
struct user *org_find_member(const struct org *org, const char *email);

/* Change a user by the rules of the API. */
enum org_answer org_set_role(struct org *org, int64_t now_ms, struct user *user, const char *role);
enum org_answer org_remove_user(struct org *org, int64_t now_ms, struct user *user);

/* What other people do: no rule is applied. */
void org_drop_user(struct org *org, int64_t now_ms, struct user *user);
/* To be called before a change, so that listings go on showing what was, as long as they lag. */
void org_user_changes(const struct org *org, int64_t now_ms, struct user *user);
void org_set_email(struct org *org, struct user *user, const char *email);

/* The object in a shape that is not MIXED. The caller owns it. */
json_t *user_show(const struct user *user, enum user_shape shape);
/* As it is answered by itself, and as a listing shows it now. */
json_t *org_show_user(const struct org *org, const struct user *user);
json_t *org_list_user(const struct org *org, const struct user *user, int64_t now_ms);

/* What a listing shows now, in its order: an array of *ret_count borrowed users to free(). */
struct user **org_user_listing(const struct org *org, int64_t now_ms, size_t *ret_count);

/* Finds a word in the table above; false if it is none of it. */
bool user_shape_parse(const char *word, enum user_shape *ret);
