/* Reading what the daemon tells. */
#include "peek.h"

#include <errno.h>
#include <string.h>

#include "app/setup.h"

char *peek_unit(const struct options *options)
{
    return options->instance ? memory_format("inviterd@%s", options->instance) : strdup("inviterd");
}

static char *words_for_error(const struct options *options, int r)
{
    const char *directory = setup_runtime_dir(options);
    _cleanup_free_ char *unit = peek_unit(options);
    if (r == -ENOENT || r == -ENOTDIR)
        return memory_format("inviterd is not running (nothing is in %s): see systemctl status %s",
                             directory, unit ? unit : "inviterd");
    if (r == -EACCES || r == -EPERM)
        return memory_format("%s cannot be read (%s): run this as root", directory, strerror(-r));
    return memory_format("%s cannot be read (%s)", directory, strerror(-r));
}

static char *words_for_damage(const struct options *options, const char *damage)
{
    _cleanup_free_ char *unit = peek_unit(options);
    return memory_format("%s/%s is damaged (%s): systemctl restart %s writes it anew",
                         setup_runtime_dir(options), RUNTIME_STATUS, damage,
                         unit ? unit : "inviterd");
}

static int look(const struct options *options, struct peek *peek, char **ret_damage)
{
    int r = runtime_peek(setup_runtime_dir(options), &peek->runtime);
    if (r < 0)
        return r;
    int held = runtime_is_held(peek->runtime);
    if (held < 0)
        return held;
    peek->running = held > 0;
    r = runtime_get_status(peek->runtime, &peek->text);
    if (r == -EBADMSG)
        *ret_damage = strdup("it is no text");
    return r < 0 ? r : statustext_read(peek->text, strlen(peek->text), &peek->status, ret_damage);
}

int peek_at_daemon(const struct options *options, struct peek *ret, char **ret_error)
{
    _cleanup_free_ char *damage = NULL;
    *ret = (struct peek){0};
    int r = look(options, ret, &damage);
    if (r == -EBADMSG)
        *ret_error = words_for_damage(options, damage ? damage : "out of memory");
    else if (r == -ENOENT && ret->running)
        *ret_error = strdup("inviterd has only just been started: try again");
    else if (r < 0)
        *ret_error = words_for_error(options, r);
    return r;
}

void peek_clear(struct peek *peek)
{
    if (peek->runtime)
        runtime_free(peek->runtime);
    free(peek->text);
    status_clear(&peek->status);
    *peek = (struct peek){0};
}
