/* Calls and answers. */
#include "call.h"

const char *call_word(enum call call)
{
    switch (call) {
    case CALL_LIST:
        return "list";
    case CALL_CREATE:
        return "create";
    case CALL_RETRIEVE:
        return "retrieve";
    case CALL_DELETE:
        return "delete";
    case CALL_LIST_USERS:
        return "list-users";
    case CALL_RETRIEVE_USER:
        return "retrieve-user";
    case CALL_SET_ROLE:
        return "set-role";
    case CALL_DELETE_USER:
        return "delete-user";
    }
    return "call";
}

void answer_clear(struct answer *answer)
{
    free(answer->request_id);
    free(answer->organization);
    free(answer->error);
    page_clear(&answer->page);
    invite_clear(&answer->invite);
    user_clear(&answer->user);
    *answer = (struct answer){0};
}

bool call_writes(enum call call)
{
    return call == CALL_CREATE || call == CALL_DELETE || call == CALL_SET_ROLE ||
           call == CALL_DELETE_USER;
}
