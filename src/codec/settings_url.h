/* URLs of the configuration: where the key and the addresses may be sent. */
#pragma once

#include <stdbool.h>

/*
 * What is wrong with a base URL, as a phrase that completes "the base URL …" and says what to do;
 * NULL when it is fine: https, or http to a loopback address; no user, query or fragment.
 */
const char *settings_base_url_fault(const char *url);

/* The same for a proxy; a user and password are allowed in it. Completes "the proxy …". */
const char *settings_proxy_fault(const char *url);
