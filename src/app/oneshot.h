/* One pass by hand: what plan, apply and list have in common. */
#pragma once

#include "app/setup.h"
#include "io/driver.h"

struct oneshot {
    const struct options *options;
    struct settings settings;
    struct members *members;
    struct ledger *ledger;
    struct state *state; /* NULL: nothing is written */
    sd_event *event;
    struct openai *openai;
    struct pace pace;
    struct driver *driver;
    int signal; /* the signal that ended it; 0: none */
};

/*
 * Reads settings, and for a pass that plans the members. Everything wrong is reported.
 * Returns 0 or the exit code.
 */
int oneshot_prepare(struct oneshot *oneshot, const struct options *options);
/* The same without members: for looking at the organisation alone. */
int oneshot_prepare_bare(struct oneshot *oneshot, const struct options *options);
/* And without users, too: for looking at the invites alone. */
int oneshot_prepare_invites(struct oneshot *oneshot, const struct options *options);

/* Opens and locks the state directory, waiting for the pass of another process; loads the ledger.
 */
int oneshot_lock(struct oneshot *oneshot);
/* Reads the ledger where there is one, and changes nothing. */
int oneshot_peek(struct oneshot *oneshot);

/*
 * Runs the event loop until the pass has ended. The hooks are the command's; with NULL the pass
 * ends once it is planned. Returns 0 or the exit code for what stopped it from running at all; how
 * the pass ended is for the caller to see.
 */
int oneshot_run(struct oneshot *oneshot, const struct driver_hooks *hooks);
const struct pass *oneshot_pass(const struct oneshot *oneshot);

/* Starts the loop, the client and the key, without a pass: 0 or the exit code. */
int oneshot_connect(struct oneshot *oneshot);

void oneshot_clear(struct oneshot *oneshot);
