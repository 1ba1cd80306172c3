/* Small strings, numbers and files for the sandbox. */
#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>

char *format(const char *template, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, template);
    int n = vasprintf(&text, template, arguments);
    va_end(arguments);
    return must(n < 0 ? NULL : text);
}

char *lower_case(const char *text)
{
    char *copy = must(strdup(text));
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

void random_text(char *text, size_t length, const char *alphabet)
{
    /* The small bias of the modulus does not matter: ids have to be distinct, not secret. */
    size_t letters = strlen(alphabet);
    unsigned char bytes[64];
    if (length > sizeof bytes || getrandom(bytes, length, 0) != (ssize_t)length)
        abort();
    for (size_t i = 0; i < length; i++)
        text[i] = alphabet[bytes[i] % letters];
    text[length] = '\0';
}

int read_number(const char *text, long long least, long long most, long long *ret)
{
    const char *digits = *text == '-' ? text + 1 : text;
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return 0;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0 || number < least || number > most)
        return 0;
    *ret = number;
    return 1;
}

static void close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

char *read_file(const char *path)
{
    _cleanup_(close_stream) FILE *stream = fopen(path, "re");
    if (!stream)
        return NULL;
    _cleanup_free_ char *text = must(malloc(1));
    size_t size = 0, n;
    char chunk[4096];
    while ((n = fread(chunk, 1, sizeof chunk, stream)) > 0) {
        text = must(realloc(text, size + n + 1));
        memcpy(text + size, chunk, n);
        size += n;
    }
    if (ferror(stream))
        return NULL;
    text[size] = '\0';
    char *taken = text;
    text = NULL;
    return taken;
}
