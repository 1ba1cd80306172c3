/* show: one invite, by retrieve; an address is looked up in a listing first. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/oneshot.h"
#include "app/report.h"
#include "app/view.h"
#include "core/address.h"

/* A read that fails is tried so many times. */
#define TRIES 5
/* Longer than this nobody is kept waiting on the service's word. */
#define PATIENCE_USEC (UINT64_C(120) * 1000000)

/* One retrieve with its repetitions. */
struct lookup {
    struct oneshot *oneshot;
    const char *id;
    struct answer answer;
    unsigned tries;
    sd_event_source *timer;
};

static void send(struct lookup *lookup);

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    send(userdata);
    return 0;
}

static bool is_worth_repeating(const struct answer *answer)
{
    bool soon = answer->retry_after == PACE_NEVER || answer->retry_after <= PATIENCE_USEC;
    return answer->kind != ANSWER_OK && answer->kind != ANSWER_REFUSED && !answer->hopeless && soon;
}

/* Never sooner than the service asks. */
static uint64_t time_to_wait(struct lookup *lookup)
{
    uint64_t wait = pace_backoff(&lookup->oneshot->pace, lookup->tries);
    uint64_t asked = lookup->answer.retry_after;
    return asked != PACE_NEVER && asked > wait ? asked : wait;
}

static void on_answer(struct answer *answer, void *userdata)
{
    struct lookup *lookup = userdata;
    answer_clear(&lookup->answer);
    lookup->answer = *answer;
    if (!is_worth_repeating(answer) || lookup->tries >= TRIES) {
        sd_event_exit(lookup->oneshot->event, 0);
        return;
    }
    sd_event_source_set_time_relative(lookup->timer, time_to_wait(lookup));
    sd_event_source_set_enabled(lookup->timer, SD_EVENT_ONESHOT);
}

static void send(struct lookup *lookup)
{
    const struct request request = {.call = CALL_RETRIEVE, .invite_id = lookup->id};
    lookup->tries++;
    int r = openai_send(lookup->oneshot->openai, &request, on_answer, lookup);
    if (r < 0) {
        lookup->answer.error = strdup(strerror(-r));
        lookup->answer.kind = ANSWER_UNSENT;
        sd_event_exit(lookup->oneshot->event, 0);
    }
}

static const char *advice(const struct answer *answer)
{
    if (answer->kind == ANSWER_UNSENT)
        return "check the base URL, the network and the certificate";
    if (answer->status == 401 || answer->status == 403)
        return "use an Admin API key with the scope api.management.read";
    return answer->status >= 300 && answer->status < 400 ? "check the base URL" : "try again later";
}

static int show(const struct lookup *lookup)
{
    const struct options *options = lookup->oneshot->options;
    const struct answer *answer = &lookup->answer;
    if (lookup->oneshot->signal != 0)
        return report_error(options, EXIT_TROUBLE, "stopped by a signal");
    if (answer->kind != ANSWER_OK) {
        _cleanup_free_ char *text =
            answer->status == 404
                ? memory_format("there is no invite %s: see inviterd list", lookup->id)
                : memory_format("cannot retrieve %s: %s (%s)", lookup->id, advice(answer),
                                answer->error ? answer->error : "no answer");
        return report_error(options, EXIT_TROUBLE, text ? text : lookup->id);
    }
    int64_t now = answer->date ? answer->date : time(NULL);
    bool whole = options->output == OUTPUT_JSON ? view_invite_json(&answer->invite)
                                                : view_invite_text(options, &answer->invite, now);
    return whole ? EXIT_OK : report_short();
}

/* `oneshot` is connected. */
static int retrieve(struct oneshot *oneshot, const char *id)
{
    struct lookup lookup = {.oneshot = oneshot, .id = id};
    int r =
        sd_event_add_time(oneshot->event, &lookup.timer, CLOCK_BOOTTIME, 0, 1, on_time, &lookup);
    int code;
    if (r >= 0)
        r = sd_event_loop(oneshot->event);
    if (r < 0)
        code = report_error(oneshot->options, EXIT_TROUBLE, strerror(-r));
    else
        code = show(&lookup);
    openai_cancel(oneshot->openai);
    sd_event_source_disable_unref(lookup.timer);
    answer_clear(&lookup.answer);
    return code;
}

static int show_id(const struct options *options, const char *id)
{
    struct oneshot oneshot = {0};
    int code = oneshot_prepare_invites(&oneshot, options);
    if (code == 0)
        code = oneshot_connect(&oneshot);
    if (code == 0)
        code = retrieve(&oneshot, id);
    oneshot_clear(&oneshot);
    return code;
}

/* The id of the newest invite of the address, as a string the caller owns; NULL: there is none. */
static char *newest_of(const struct oneshot *oneshot, const char *email)
{
    const struct invites *invites = listing_invites(pass_listing(oneshot_pass(oneshot)));
    const struct invite *newest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (address_compare(invite->email, email) != 0)
            continue;
        count++;
        if (!newest || invite_newer(invite, newest))
            newest = invite;
    }
    if (count > 1)
        report_note(oneshot->options, "%zu invites for %s: this is the newest; see inviterd list",
                    count, email);
    return newest ? strdup(newest->id) : NULL;
}

static int find(const struct oneshot *oneshot, const char *email, char **ret_id)
{
    const struct pass *pass = oneshot_pass(oneshot);
    const char *error = pass_error(pass);
    if (!pass_plan(pass))
        return report_error(oneshot->options, EXIT_TROUBLE, error ? error : "stopped by a signal");
    *ret_id = newest_of(oneshot, email);
    if (*ret_id)
        return 0;
    _cleanup_free_ char *text =
        memory_format("there is no invite for %s: see inviterd list", email);
    return report_error(oneshot->options, EXIT_TROUBLE, text ? text : email);
}

int command_show(const struct options *options)
{
    if (!strchr(options->argument, '@'))
        return show_id(options, options->argument);
    struct oneshot oneshot = {0};
    _cleanup_free_ char *id = NULL;
    int code = oneshot_prepare_invites(&oneshot, options);
    if (code == 0)
        code = oneshot_run(&oneshot, NULL);
    if (code == 0)
        code = find(&oneshot, options->argument, &id);
    oneshot_clear(&oneshot);
    return code == 0 ? show_id(options, id) : code;
}
