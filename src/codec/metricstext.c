/* The text format 0.0.4: HELP, TYPE and samples of each metric. */
#include "metricstext.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void begin(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Within quotes, three characters are spelled otherwise. */
static void put_label(FILE *out, const char *value)
{
    for (; value && *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '"' || *value == '\\')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
}

static void put_pair(FILE *out, const char *before, const char *label, const char *value)
{
    fprintf(out, "%s%s=\"", before, label);
    put_label(out, value);
    fputc('"', out);
}

/* The name, whose instance this is, and the labels that follow as pairs of texts up to NULL. */
static void put_name(FILE *out, const struct status *status, const char *name, ...)
{
    const char *before = "{";
    va_list labels;
    va_start(labels, name);
    fputs(name, out);
    if (status->instance) {
        put_pair(out, before, "organization", status->instance);
        before = ",";
    }
    for (const char *label; (label = va_arg(labels, const char *));) {
        put_pair(out, before, label, va_arg(labels, const char *));
        before = ",";
    }
    va_end(labels);
    fputs(*before == ',' ? "} " : " ", out);
}

static void put_number(FILE *out, const struct status *status, const char *name, const char *help,
                       int64_t number)
{
    begin(out, name, "gauge", help);
    put_name(out, status, name, NULL);
    fprintf(out, "%" PRId64 "\n", number);
}

static void put_build(FILE *out, const struct status *status)
{
    begin(out, "inviterd_build_info", "gauge", "Always 1; the version that runs.");
    put_name(out, status, "inviterd_build_info", "version", status->version, NULL);
    fputs("1\n", out);
}

static void put_states(FILE *out, const struct status *status)
{
    begin(out, "inviterd_state", "gauge", "1 for the state that holds, 0 for the others.");
    for (enum status_state state = STATUS_STARTING; state <= STATUS_STOPPING; state++) {
        put_name(out, status, "inviterd_state", "state", status_state_word(state), NULL);
        fprintf(out, "%d\n", status->state == state);
    }
}

static void put_duration(FILE *out, const struct status *status)
{
    begin(out, "inviterd_last_pass_duration_seconds", "gauge",
          "How long the last pass took; 0 before the first.");
    put_name(out, status, "inviterd_last_pass_duration_seconds", NULL);
    fprintf(out, "%.3f\n", (double)status->last_pass.usec / 1e6);
}

static void put_people(FILE *out, const struct status *status)
{
    begin(out, "inviterd_people", "gauge", "Lines of the last plan, by verdict.");
    for (enum action action = ACTION_INVITE; action <= ACTION_KEEP; action++) {
        put_name(out, status, "inviterd_people", "verdict", action_word(action), NULL);
        fprintf(out, "%zu\n", status->people[action]);
    }
}

static void put_requests(FILE *out, const struct status *status)
{
    begin(out, "inviterd_requests_total", "counter",
          "Answers of the service since the start, by call and HTTP status; 0: no answer.");
    for (size_t i = 0; i < status->request_count; i++) {
        char code[16];
        snprintf(code, sizeof code, "%d", status->requests[i].status);
        put_name(out, status, "inviterd_requests_total", "call",
                 call_word(status->requests[i].call), "status", code, NULL);
        fprintf(out, "%" PRIu64 "\n", status->requests[i].count);
    }
}

static void put_all(FILE *out, const struct status *status)
{
    put_build(out, status);
    put_number(out, status, "inviterd_start_time_seconds", "When the daemon started.",
               status->started);
    put_states(out, status);
    put_number(out, status, "inviterd_failing",
               "1 if the last pass failed, or something such as an invalid member file holds up "
               "passes.",
               status->state == STATUS_FAILING);
    put_number(out, status, "inviterd_last_success_timestamp_seconds",
               "When a pass last went through; 0: not since the start.", status->last_success);
    put_duration(out, status);
    put_people(out, status);
    put_number(out, status, "inviterd_blocked_actions", "Actions that limits hold back.",
               (int64_t)status->blocked.actions.total);
    put_number(out, status, "inviterd_attention_people",
               "Lines of the last plan that need attention.", (int64_t)status->attention.total);
    put_number(out, status, "inviterd_failed_writes",
               "Writes of the last pass that failed, or whose outcome is unknown.",
               (int64_t)status->last_pass.failed + status->last_pass.unknown);
    put_requests(out, status);
}

char *metricstext_write(const struct status *status)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    put_all(out, status);
    bool whole = !ferror(out);
    if (fclose(out) == 0 && whole)
        return text;
    free(text);
    return NULL;
}
