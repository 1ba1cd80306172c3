/*
 * The watch: what must hold at each request and at the end of each pass, judged from what the
 * service delivered and from what it holds, never from the product's own reasoning.
 */
#pragma once

#include "core/pass.h"
#include "org.h"

struct watch_open {
    char *email;
    uint64_t sent_at, given_up_at;
};

/* What is known of a user, from the listings of users that were delivered whole. */
struct watch_known {
    char *id;
    char *email; /* by which the file knew them first; NULL: not seen in the last such listing */
    unsigned passes;   /* in a row that saw them unwanted */
    uint64_t observed; /* for how long this, as far as one process had its eye on them */
    uint64_t at;       /* when the last of these listings was begun */
    unsigned process;  /* that made it */
    /* The same, as a new process would read it. */
    char *saved_email;
    unsigned saved_passes, saved_process;
    uint64_t saved_observed, saved_at;
};

struct watch_deposed {
    char *id;
    uint64_t at; /* when it was sent, or answered */
};

/* The part that concerns users. */
struct watch_users {
    /* the listing that the pass goes by */
    struct users delivered;
    bool *was_shown;
    size_t was_shown_count;
    uint64_t begun, served;
    bool shrunk, of_another; /* it cannot be true, or another organisation answered */
    bool proven, refused, forbidden;

    /* the pass */
    struct users looked; /* as they were retrieved in it */
    size_t pages;
    char **removed, **deposed, **promoted; /* ids; deposed: owners removed or made readers */
    size_t removed_count, deposed_count, promoted_count;

    /* beyond the pass */
    struct watch_known *known;
    size_t known_count;
    unsigned process;
    struct watch_deposed *taken; /* owners whom a write was sent about */
    size_t taken_count;
};

struct watch {
    struct org *org;
    const struct members *members;
    const struct limits *limits;
    const struct ledger *durable; /* what a restart would read */
    const struct pass_params *params;
    uint64_t settle;
    struct watch_users users;

    /* the listing that the pass goes by */
    struct invites delivered;
    bool *was_shown; /* by position in the organisation: at the listing's beginning */
    size_t was_shown_count;
    uint64_t begun, served;
    int64_t date;
    int64_t wall;            /* what the host takes for the date; by this where no answer says it */
    bool shrunk, of_another; /* it cannot be true, or another organisation answered */
    bool proven;

    /* the pass */
    const struct pass *pass;
    bool stopped, unsaved, forbidden;
    size_t pages, requests_most;
    size_t live, listed; /* when it was planned: at most, and by the listing itself */
    bool lifted;         /* an approval lifted the limits */
    unsigned seen;       /* the limits that whoever approved has seen exceeded */
    char **revoked, **invited, **owners, **refused, **restored;
    size_t revoked_count, invited_count, owner_count, refused_count, restored_count;

    /* beyond the pass */
    struct watch_open *open;
    size_t open_count;
    char **gone; /* ids that are known to be gone */
    size_t gone_count;
    char **doomed; /* ids that a process that died was about to delete */
    size_t doomed_count;
    char **ever_refused; /* addresses that a create was ever refused for */
    size_t ever_refused_count;
    uint64_t born_at, restarted_at, pass_at;
    bool unstored; /* a new process would not know all that this one does */
    char **approvals;
    size_t approval_count;

    char *violation; /* the first one: "INVARIANT: what" */
};

void watch_clear(struct watch *watch);
void watch_begin_pass(struct watch *watch, const struct pass *pass);
/* A request is made. */
void watch_request(struct watch *watch, const struct request *request);
/* The page asked for was served, and its answer is on its way. */
void watch_page(struct watch *watch, const struct answer *answer, const struct request *request);
/* An answer to that request, sent at `sent_at`, is delivered to the pass. */
void watch_answer(struct watch *watch, const struct answer *answer, const struct request *request,
                  uint64_t sent_at);
/* The process no longer waits for the outcome of a create that it sent at `sent_at`. */
void watch_give_up(struct watch *watch, const char *email, uint64_t sent_at);
/* The service has sent a mail. */
void watch_mail(struct watch *watch);
/* The plan was made; `approval` is what the operator gave, having seen these limits exceeded. */
void watch_plan(struct watch *watch, const char *approval, unsigned seen);
/* Something was sent on the strength of the approval. */
void watch_used(struct watch *watch, const char *approval);
/* The ledger is durable. */
void watch_saved(struct watch *watch);
/* The process has died, and its successor reads the durable ledger. */
void watch_restart(struct watch *watch);
/* Another process than before makes the next pass, from the durable ledger. */
void watch_new_process(struct watch *watch);
/* The memory was lost: used approvals may be used again, and mails are counted anew. */
void watch_forget(struct watch *watch);
/* The pass has ended by itself; `faults` struck it. */
void watch_end(struct watch *watch, unsigned faults);
/*
 * Calm has come, and three passes went by: things must be as declared. With `removed`, so much time
 * went by, too, that everybody is gone who was to be removed.
 */
void watch_converged(struct watch *watch, bool removed);

void watch_violated(struct watch *watch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
