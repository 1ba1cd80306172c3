/* status: what the daemon last did and will do next. */
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/jsonline.h"
#include "app/peek.h"
#include "app/report.h"
#include "app/view_status.h"
#include "codec/jsontext.h"

static int exit_code(const struct peek *peek, int64_t now)
{
    if (!peek->running || view_status_hangs(&peek->status, now))
        return EXIT_TROUBLE;
    switch (peek->status.state) {
    case STATUS_IN_SYNC:
        return EXIT_OK;
    case STATUS_STARTING:
    case STATUS_PENDING:
    case STATUS_BLOCKED:
    case STATUS_ATTENTION:
        return EXIT_PENDING;
    case STATUS_FAILING:
    case STATUS_STOPPING:
        break;
    }
    return EXIT_TROUBLE;
}

/* As it is, with keys that we do not know, too. */
static bool print_json(const struct peek *peek)
{
    json_t *json;
    json_error_t error;
    if (jsontext_load(peek->text, strlen(peek->text), &json, &error) < 0)
        json = NULL;
    jsontext_begin();
    json_object_set_new(json, "running", json_boolean(peek->running));
    return jsonline_print(json);
}

int command_status(const struct options *options)
{
    struct peek peek;
    _cleanup_free_ char *error = NULL;
    int64_t now = time(NULL);
    int code;
    if (peek_at_daemon(options, &peek, &error) < 0) {
        code = report_error(options, EXIT_TROUBLE, error ? error : "out of memory");
    } else {
        bool whole = options->output == OUTPUT_JSON
                         ? print_json(&peek)
                         : view_status_text(options, &peek.status, peek.running, now);
        code = whole ? exit_code(&peek, now) : report_short();
    }
    peek_clear(&peek);
    return code;
}
