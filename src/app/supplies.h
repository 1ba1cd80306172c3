/* What a pass of the daemon needs before it can begin: the members, the key, the ledger. */
#pragma once

#include "app/setup.h"
#include "io/state.h"
#include "io/watch.h"

/* Zero-initialised but for the first three, which are borrowed. */
struct supplies {
    const struct options *options;
    const struct settings *settings; /* changed in place by a reload */
    struct watch *watch;             /* NULL: the host gives none, changes are seen at `interval` */
    /* Of the pass to come, or under way; supplies_drop() frees them. */
    struct members *members;
    struct state *state;
    struct ledger *ledger;
    /* What is missing, as it was said last: said once, however often it is tried. */
    char *fault;
    /* The last snapshot that was not quiet, when it has to be, and when a writer was seen first. */
    uint64_t snapshot_state, snapshot_due, writing_since;
    bool watch_fault_told;
};

enum supply {
    SUPPLY_READY,   /* all is there */
    SUPPLY_LATER,   /* look again after wait_usec: somebody is writing the member file */
    SUPPLY_LOCKED,  /* another pass of this host is under way */
    SUPPLY_INVALID, /* the member file: see the problems */
    SUPPLY_TROUBLE, /* anything else, said in the journal: see the text */
};

struct supply_report {
    enum supply supply;
    uint64_t wait_usec;       /* LATER */
    struct problems problems; /* INVALID: what is wrong with the member file */
    char *text;               /* INVALID, TROUBLE: for a status line */
};
void supply_report_clear(struct supply_report *report);

/* Gathers all three, or none; the key goes to the client. The report is the caller's to clear. */
void supplies_gather(struct supplies *supplies, struct openai *openai,
                     struct supply_report *ret_report);
/* The pass is over. */
void supplies_drop(struct supplies *supplies);
/* What is missing is said again: somebody has asked for it. */
void supplies_forget_fault(struct supplies *supplies);
