/* The Prometheus text, to the letter. */
#include "starve.h"
#include "unit.h"

#include "codec/metricstext.h"

static struct status some_status(void)
{
    struct status status = {
        .version = (char *)"0.1.0",
        .started = 1795700825,
        .state = STATUS_FAILING,
        .last_pass = {.number = 3, .usec = 1251999, .failed = 5, .unknown = 6},
        .last_success = 1795700900,
        .people = {1, 2, 3, 4, 7, 8, 5, 119},
        .blocked.actions.total = 12,
        .attention.total = 5,
    };
    status_count_request(&status, CALL_LIST, 200);
    status_count_request(&status, CALL_LIST, 200);
    status_count_request(&status, CALL_CREATE, 0);
    return status;
}

static const char some_text[] =
    "# HELP inviterd_build_info Always 1; the version that runs.\n"
    "# TYPE inviterd_build_info gauge\n"
    "inviterd_build_info{version=\"0.1.0\"} 1\n"
    "# HELP inviterd_start_time_seconds When the daemon started.\n"
    "# TYPE inviterd_start_time_seconds gauge\n"
    "inviterd_start_time_seconds 1795700825\n"
    "# HELP inviterd_state 1 for the state that holds, 0 for the others.\n"
    "# TYPE inviterd_state gauge\n"
    "inviterd_state{state=\"starting\"} 0\n"
    "inviterd_state{state=\"in-sync\"} 0\n"
    "inviterd_state{state=\"pending\"} 0\n"
    "inviterd_state{state=\"blocked\"} 0\n"
    "inviterd_state{state=\"attention\"} 0\n"
    "inviterd_state{state=\"failing\"} 1\n"
    "inviterd_state{state=\"stopping\"} 0\n"
    "# HELP inviterd_failing 1 if the last pass failed, or something such as an invalid member "
    "file holds up passes.\n"
    "# TYPE inviterd_failing gauge\n"
    "inviterd_failing 1\n"
    "# HELP inviterd_last_success_timestamp_seconds When a pass last went through; 0: not since "
    "the start.\n"
    "# TYPE inviterd_last_success_timestamp_seconds gauge\n"
    "inviterd_last_success_timestamp_seconds 1795700900\n"
    "# HELP inviterd_last_pass_duration_seconds How long the last pass took; 0 before the first.\n"
    "# TYPE inviterd_last_pass_duration_seconds gauge\n"
    "inviterd_last_pass_duration_seconds 1.252\n"
    "# HELP inviterd_people Lines of the last plan, by verdict.\n"
    "# TYPE inviterd_people gauge\n"
    "inviterd_people{verdict=\"invite\"} 1\n"
    "inviterd_people{verdict=\"renew\"} 2\n"
    "inviterd_people{verdict=\"replace\"} 3\n"
    "inviterd_people{verdict=\"revoke\"} 4\n"
    "inviterd_people{verdict=\"set-role\"} 7\n"
    "inviterd_people{verdict=\"remove\"} 8\n"
    "inviterd_people{verdict=\"attention\"} 5\n"
    "inviterd_people{verdict=\"keep\"} 119\n"
    "# HELP inviterd_blocked_actions Actions that limits hold back.\n"
    "# TYPE inviterd_blocked_actions gauge\n"
    "inviterd_blocked_actions 12\n"
    "# HELP inviterd_attention_people Lines of the last plan that need attention.\n"
    "# TYPE inviterd_attention_people gauge\n"
    "inviterd_attention_people 5\n"
    "# HELP inviterd_failed_writes Writes of the last pass that failed, or whose outcome is "
    "unknown.\n"
    "# TYPE inviterd_failed_writes gauge\n"
    "inviterd_failed_writes 11\n"
    "# HELP inviterd_requests_total Answers of the service since the start, by call and HTTP "
    "status; 0: no answer.\n"
    "# TYPE inviterd_requests_total counter\n"
    "inviterd_requests_total{call=\"list\",status=\"200\"} 2\n"
    "inviterd_requests_total{call=\"create\",status=\"0\"} 1\n";

static void writes_everything(void **state)
{
    (void)state;
    const struct status status = some_status();
    _cleanup_free_ char *text = metricstext_write(&status);
    unit_assert_text(text, some_text);
}

static void escapes_labels(void **state)
{
    (void)state;
    const struct status status = {.version = (char *)"1\n2\"3\\4\xc3\xa4"};
    _cleanup_free_ char *text = metricstext_write(&status);
    assert_non_null(strstr(text, "\ninviterd_build_info{version=\"1\\n2\\\"3\\\\4\xc3\xa4\"} 1\n"));
}

static void writes_all_or_nothing_when_memory_is_short(void **state)
{
    (void)state;
    const struct status status = some_status();
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        starve_after(failures, true);
        _cleanup_free_ char *text = metricstext_write(&status);
        failed = starve_end();
        if (failed)
            assert_null(text);
        else
            unit_assert_text(text, some_text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_everything),
        cmocka_unit_test(escapes_labels),
        cmocka_unit_test(writes_all_or_nothing_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
