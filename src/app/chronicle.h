/* What the daemon tells the journal about a pass: plan lines, writes, limits, and how it ended. */
#pragma once

#include "app/options.h"
#include "codec/settings.h"
#include "core/pass.h"

struct chronicle {
    const struct options *options;
    const struct settings *settings;
    char pass[24]; /* id of the pass in every event: "12", counted since the start */
    unsigned number;
    bool *told;      /* by line: its result was said */
    char **standing; /* what the last pass left as it is, sorted: not said again while it stays */
    size_t standing_count;
    bool clock_told; /* that the clocks disagree */
};

/* A pass begins under these settings, which are borrowed until it has ended. */
void chronicle_begin(struct chronicle *chronicle, const struct options *options,
                     const struct settings *settings);
/* Each line that is to be written, and, where they have changed, those blocked or for attention. */
void chronicle_plan(struct chronicle *chronicle, const struct pass *pass);
/* A write that was answered while its line goes on. */
void chronicle_step(const struct chronicle *chronicle, const struct line *line, enum call call);
/* The results that are new since the last call. */
void chronicle_results(struct chronicle *chronicle, const struct pass *pass);
void chronicle_end(struct chronicle *chronicle, const struct pass *pass);
void chronicle_clear(struct chronicle *chronicle);
