/* Drives a pass in the real world: sends its requests, saves its ledger, tells it the time. */
#pragma once

#include "core/pass.h"
#include "io/openai.h"
#include "io/state.h"

struct driver_hooks {
    /* The plan is there. Whether to carry it out; the driver ends the pass if not. */
    bool (*planned)(const struct pass *pass, void *userdata);
    /* Something changed: a request was sent or answered. */
    void (*moved)(const struct pass *pass, void *userdata);
    /* An answer has come, or a request came to nothing; NULL: nobody counts them. */
    void (*answered)(const struct answer *answer, void *userdata);
    /*
     * A create or a delete was answered and its line goes on, such as a replacement after its
     * delete; the line holds the status and the request id.
     */
    void (*stepped)(const struct line *line, enum call call, void *userdata);
    void *userdata;
};

struct driver_params {
    sd_event *event;       /* borrowed */
    struct openai *openai; /* borrowed; its key is set */
    struct state *state;   /* borrowed; NULL when `planned` always refuses */
    struct pass_params pass;
    /*
     * Where no answer comes for so long (microseconds) while one is waited for, all requests in
     * flight count as lost. Longer than a request may take, so that it only ends what hangs.
     */
    uint64_t stall_usec;
    struct driver_hooks hooks;
    /* Nothing more will come. The driver may be freed from here. */
    void (*ended)(const struct pass *pass, void *owner);
    void *owner;
};

struct driver;

/* Begins the pass; what is called back is called from the event loop. Returns 0 or a negative
 * errno. */
int driver_new(const struct driver_params *params, struct driver **ret);
/* Cancels what is in flight. */
void driver_free(struct driver *driver);
DEFINE_CLEANUP(struct driver *, driver_free)

/* Asks the pass to stop: writes in flight end, `ended` follows. */
void driver_stop(struct driver *driver);
/* No longer waits for answers in flight: what they did stays unknown. */
void driver_give_up(struct driver *driver, const char *why);
/* When the pass goes on by itself, on CLOCK_BOOTTIME in microseconds; PACE_NEVER: on an answer. */
uint64_t driver_waits_until(const struct driver *driver);
const struct pass *driver_pass(const struct driver *driver);
