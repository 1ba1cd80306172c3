/* inviterd-sandbox: a local organisation with the Invites API, for the demo, tests and benchmarks.
 */
#include "base.h"
#include "options.h"
#include "orgfile.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

static bool load_org(struct sandbox *sandbox, const char *path)
{
    if (!path)
        return true;
    _cleanup_free_ char *wrong = orgfile_load(&sandbox->org, path, sandbox_now_ms(sandbox));
    if (wrong)
        fprintf(stderr, "inviterd-sandbox: %s\n", wrong);
    return !wrong;
}

/* Reads the file into *text, if one is given; false, having said why, if it cannot be read. */
static bool load_pem(const char *path, char **text)
{
    if (!path || (*text = read_file(path)))
        return true;
    fprintf(stderr, "inviterd-sandbox: %s: %s\n", path, strerror(errno));
    return false;
}

static void follow_parent(void)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* It may have died before the request took hold. */
    if (getppid() != parent)
        exit(0);
}

static void announce(const struct options *options, uint16_t port)
{
    const struct sockaddr_storage *address = &options->server.address;
    bool six = address->ss_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "";
    inet_ntop(address->ss_family,
              six ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                  : (const void *)&((const struct sockaddr_in *)address)->sin_addr,
              host, sizeof host);
    printf("inviterd-sandbox listens on %s://%s%s%s:%u/v1\n",
           options->server.certificate ? "https" : "http", six ? "[" : "", host, six ? "]" : "",
           port);
    fflush(stdout);
}

/* Blocked before any thread starts, so that only sigwait sees them. */
static sigset_t block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signals;
}

/* Whatever a connection is stuck in, the process ends, and ends well. */
static void give_up(int number)
{
    (void)number;
    _exit(0);
}

int main(int argc, char **argv)
{
    _cleanup_(sandbox_clear) struct sandbox sandbox;
    _cleanup_free_ char *certificate = NULL, *key = NULL;
    struct options options = {0};
    uint16_t port;
    int signal_number;

    sandbox_init(&sandbox);
    options_read(argc, argv, &options, &sandbox);
    sigset_t signals = block_signals();
    if (options.die_with_parent)
        follow_parent();
    if (!load_org(&sandbox, options.org_file) ||
        !load_pem(options.certificate_file, &certificate) || !load_pem(options.key_file, &key))
        return EX_CONFIG;
    rate_set(&sandbox.rate, sandbox.rate.per_minute, sandbox.rate.burst, sandbox_now_ms(&sandbox));
    options.server.certificate = certificate;
    options.server.key = key;

    struct MHD_Daemon *server = server_start(&sandbox, &options.server, &port);
    if (!server) {
        fprintf(stderr, "inviterd-sandbox: cannot listen there%s: %s\n",
                certificate ? ", or not with this certificate" : "", strerror(errno));
        return EX_UNAVAILABLE;
    }
    announce(&options, port);
    sigwait(&signals, &signal_number);
    signal(SIGALRM, give_up);
    alarm(1);
    server_stop(server, &sandbox);
    return 0;
}
