/* Users: a list that owns them. */
#include "user.h"

#include <errno.h>

int users_add(struct users *users, const struct user *user)
{
    if (RESERVE(users->items, users->count) < 0)
        return -ENOMEM;
    users->items[users->count++] = *user;
    return 0;
}

void user_clear(struct user *user)
{
    free(user->id);
    free(user->email);
    free(user->name);
    free(user->role_text);
    *user = (struct user){0};
}

void users_clear(struct users *users)
{
    for (size_t i = 0; i < users->count; i++)
        user_clear(&users->items[i]);
    free(users->items);
    *users = (struct users){0};
}
