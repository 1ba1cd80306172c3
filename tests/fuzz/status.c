/* status.json: refused, or read into something that is written and read again as the same. */
#include "fuzz.h"

#include "codec/metricstext.h"
#include "codec/statustext.h"

static void check_lines(const struct status_lines *lines)
{
    MUST(lines->count <= STATUS_LINES_MAX && lines->total >= lines->count);
}

static void check_status(const struct status *status)
{
    MUST(status_state_word(status->state) && status_result_word(status->last_pass.result));
    MUST(status->pid >= 0 && status->started >= 0 && status->next_pass >= 0);
    MUST(status->blocked.limit_count <= LIMIT_COUNT);
    MUST(status->request_count <= STATUS_REQUESTS_MAX);
    MUST(!status->approval.id == !status->approval.outcome);
    check_lines(&status->blocked.actions);
    check_lines(&status->attention);
    check_lines(&status->failures);
    check_lines(&status->problems);
}

static void check_round_trip(const struct status *status)
{
    struct status read;
    _cleanup_free_ char *text = statustext_write(status), *error = NULL;
    MUST(text);
    MUST(statustext_read(text, strlen(text), &read, &error) == 0);
    check_status(&read);
    _cleanup_free_ char *again = statustext_write(&read);
    MUST(again && strcmp(again, text) == 0);
    status_clear(&read);
    /* One that was cut short is never taken for a whole one. */
    MUST(statustext_read(text, fuzz_cut((const uint8_t *)text, strlen(text)), &read, &error) ==
         -EBADMSG);
}

/* Each line is a comment or a sample, whatever a label has in it. */
static void check_metrics(const struct status *status)
{
    _cleanup_free_ char *text = metricstext_write(status);
    MUST(text && text[strlen(text) - 1] == '\n');
    for (char *line, *rest = text; (line = strsep(&rest, "\n")) && *line;)
        MUST(strncmp(line, "# ", 2) == 0 || strncmp(line, "inviterd_", 9) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status status;
    _cleanup_free_ char *error = NULL;
    int r = statustext_read((const char *)data, size, &status, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error);
        return 0;
    }
    MUST(r == 0 && !error);
    check_status(&status);
    check_round_trip(&status);
    check_metrics(&status);
    status_clear(&status);
    return 0;
}
