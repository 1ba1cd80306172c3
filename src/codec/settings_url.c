/* URLs: taken apart just far enough to refuse what is unsafe. */
#include "codec/settings_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253

/* The pieces of SCHEME://[USER@]HOST[:PORT][/PATH], as pointers into the text. */
struct pieces {
    const char *scheme_end; /* at "://" */
    const char *host;
    size_t host_length; /* with the brackets of an IPv6 address */
    const char *port;   /* after the colon; NULL when there is none */
    size_t port_length;
    const char *path; /* at '/' or the final NUL */
    bool user;
};

static bool split(const char *url, struct pieces *pieces)
{
    pieces->scheme_end = strstr(url, "://");
    if (!pieces->scheme_end)
        return false;
    const char *authority = pieces->scheme_end + 3;
    pieces->path = authority + strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', (size_t)(pieces->path - authority));
    pieces->user = at != NULL;
    pieces->host = at ? at + 1 : authority;
    size_t length = (size_t)(pieces->path - pieces->host);
    const char *bracket = memrchr(pieces->host, ']', length);
    const char *after = bracket ? bracket : pieces->host;
    const char *colon = memchr(after, ':', (size_t)(pieces->path - after));
    pieces->host_length = colon ? (size_t)(colon - pieces->host) : length;
    pieces->port = colon ? colon + 1 : NULL;
    pieces->port_length = colon ? (size_t)(pieces->path - pieces->port) : 0;
    return true;
}

static bool is_scheme(const char *url, const struct pieces *pieces, const char *scheme)
{
    size_t length = (size_t)(pieces->scheme_end - url);
    return strlen(scheme) == length && strncasecmp(url, scheme, length) == 0;
}

/* Copies the host without its brackets; false when it is too long or has wrong characters. */
static bool copy_host(const struct pieces *pieces, char host[static HOST_MAX + 1], bool *ret_ipv6)
{
    const char *text = pieces->host;
    size_t length = pieces->host_length;
    *ret_ipv6 = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (*ret_ipv6) {
        text++;
        length -= 2;
    }
    if (length == 0 || length > HOST_MAX)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    return strspn(host, *ret_ipv6 ? "0123456789abcdefABCDEF:."
                                  : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-._") == length;
}

static bool host_is_valid(const struct pieces *pieces)
{
    char host[HOST_MAX + 1];
    bool ipv6;
    struct in6_addr address;
    if (!copy_host(pieces, host, &ipv6))
        return false;
    return !ipv6 || inet_pton(AF_INET6, host, &address) == 1;
}

/* 127.0.0.0/8 in full dotted form, [::1], or localhost: nothing that a name server could answer. */
static bool host_is_loopback(const struct pieces *pieces)
{
    char host[HOST_MAX + 1];
    bool ipv6;
    struct in_addr v4;
    struct in6_addr v6;
    if (!copy_host(pieces, host, &ipv6))
        return false;
    if (ipv6)
        return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0;
}

static bool port_is_valid(const struct pieces *pieces)
{
    unsigned number = 0;
    if (!pieces->port)
        return true;
    if (pieces->port_length < 1 || pieces->port_length > 5)
        return false;
    for (size_t i = 0; i < pieces->port_length; i++) {
        if (pieces->port[i] < '0' || pieces->port[i] > '9')
            return false;
        number = number * 10 + (unsigned)(pieces->port[i] - '0');
    }
    return number >= 1 && number <= 65535;
}

/* Whatever is not a visible ASCII character, and the backslash, has to be percent-encoded. */
static bool is_plain(const char *url)
{
    for (; *url; url++)
        if (*url <= ' ' || *url >= 0x7f || *url == '\\')
            return false;
    return true;
}

/* What base URLs and proxies have in common. */
static const char *fault(const char *url, struct pieces *pieces)
{
    if (*url == '\0')
        return "is empty; write it, or remove the line";
    if (!is_plain(url))
        return "contains a space or a character that must be percent-encoded; correct it";
    if (!split(url, pieces))
        return "has no scheme; begin it with https://";
    if (!host_is_valid(pieces))
        return "has no valid host; write it like https://HOST or https://HOST:PORT";
    if (!port_is_valid(pieces))
        return "has no valid port; give a number from 1 to 65535";
    return NULL;
}

const char *settings_base_url_fault(const char *url)
{
    struct pieces pieces = {0};
    const char *phrase = fault(url, &pieces);
    if (phrase)
        return phrase;
    if (pieces.user)
        return "contains a user or password; remove it, the key is set by `key`";
    if (strchr(pieces.path, '?') || strchr(pieces.path, '#'))
        return "has a query or fragment; remove it";
    if (is_scheme(url, &pieces, "https"))
        return NULL;
    if (!is_scheme(url, &pieces, "http"))
        return "must begin with https://";
    if (!host_is_loopback(&pieces))
        return "would send the key in the clear; use https:// (http is for 127.0.0.1, [::1] and "
               "localhost only)";
    return NULL;
}

const char *settings_proxy_fault(const char *url)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    struct pieces pieces = {0};
    const char *phrase = fault(url, &pieces);
    if (phrase)
        return phrase;
    if (strcmp(pieces.path, "") != 0 && strcmp(pieces.path, "/") != 0)
        return "has a path; write it like http://HOST:PORT";
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (is_scheme(url, &pieces, schemes[i]))
            return NULL;
    return "has an unknown scheme; begin it with http://, https://, socks5:// or socks5h://";
}
