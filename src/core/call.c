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
    }
    return "call";
}

void answer_clear(struct answer *answer)
{
    free(answer->request_id);
    free(answer->organization);
    free(answer->error);
    invites_clear(&answer->page.invites);
    invite_clear(&answer->invite);
    *answer = (struct answer){0};
}
