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

static void load_org(struct sandbox *sandbox, const char *path)
{
    _cleanup_free_ char *wrong = orgfile_load(&sandbox->org, path, sandbox_now_ms(sandbox));
    if (!wrong)
        return;
    fprintf(stderr, "inviterd-sandbox: %s\n", wrong);
    exit(EX_CONFIG);
}

static char *load_pem(const char *path)
{
    char *text = path ? read_file(path) : NULL;
    if (!path || text)
        return text;
    fprintf(stderr, "inviterd-sandbox: %s: %s\n", path, strerror(errno));
    exit(EX_CONFIG);
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
    struct sandbox sandbox;
    struct options options = {0};
    uint16_t port;
    int signal_number;

    sandbox_init(&sandbox);
    options_read(argc, argv, &options, &sandbox);
    sigset_t signals = block_signals();
    if (options.die_with_parent)
        follow_parent();
    if (options.org_file)
        load_org(&sandbox, options.org_file);
    rate_set(&sandbox.rate, sandbox.rate.per_minute, sandbox.rate.burst, sandbox_now_ms(&sandbox));
    _cleanup_free_ char *certificate = load_pem(options.certificate_file);
    _cleanup_free_ char *key = load_pem(options.key_file);
    options.server.certificate = certificate;
    options.server.key = key;

    struct MHD_Daemon *server = server_start(&sandbox, &options.server, &port);
    if (!server) {
        fprintf(stderr, "inviterd-sandbox: cannot listen there: %s\n", strerror(errno));
        return EX_UNAVAILABLE;
    }
    announce(&options, port);
    sigwait(&signals, &signal_number);
    signal(SIGALRM, give_up);
    alarm(1);
    server_stop(server, &sandbox);
    sandbox_clear(&sandbox);
    return 0;
}
