/*
 * Preloaded: libcurl never hears of a time-out, as if it had forgotten it. What then ends a request
 * that hangs is our own deadline alone.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>

#undef curl_easy_setopt

__attribute__((visibility("default"))) CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    static CURLcode (*real)(CURL *, CURLoption, ...);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_setopt");
    if (option == CURLOPT_TIMEOUT_MS || option == CURLOPT_CONNECTTIMEOUT_MS)
        return CURLE_OK;
    va_list arguments;
    va_start(arguments, option);
    CURLcode code;
    if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
        code = real(easy, option, va_arg(arguments, curl_off_t));
    else if (option < CURLOPTTYPE_OBJECTPOINT)
        code = real(easy, option, va_arg(arguments, long));
    else
        code = real(easy, option, va_arg(arguments, void *));
    va_end(arguments);
    return code;
}
