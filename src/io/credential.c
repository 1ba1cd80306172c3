/* Reading the key: systemd credentials, files, environment. */
#include "credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

#define KEY_MAX            4096
#define DEFAULT_CREDENTIAL "openai-admin-key"
#define DEFAULT_VARIABLE   "OPENAI_ADMIN_KEY"

static int refuse(char **ret_error, char *text)
{
    if (!text)
        return -ENOMEM;
    *ret_error = text;
    return -EKEYREJECTED;
}

/* Drops white space around the key in place. What is left must be one printable ASCII word. */
static const char *tidy(char *key)
{
    size_t length = strlen(key), skip = strspn(key, " \t\r\n");
    while (length > skip && strchr(" \t\r\n", key[length - 1]))
        length--;
    memmove(key, key + skip, length - skip);
    explicit_bzero(key + length - skip, skip);
    key[length - skip] = '\0';
    if (*key == '\0')
        return "is empty";
    for (const char *p = key; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return "contains something that no key contains";
    return NULL;
}

/* Takes over the text. */
static int accept_key(char *text, const char *where, char **ret_key, char **ret_error)
{
    const char *fault = tidy(text);
    if (!fault) {
        *ret_key = text;
        return 0;
    }
    memory_wipe(text);
    return refuse(ret_error, memory_format("the key in %s %s: put an Admin API key there, and "
                                           "nothing else",
                                           where, fault));
}

static int read_file(const char *path, char **ret_key, char **ret_error)
{
    char *text;
    size_t length;
    int r = file_read(AT_FDCWD, path, KEY_MAX, &text, &length);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return refuse(ret_error,
                      memory_format("cannot read the key file %s: %s", path, strerror(-r)));
    /* What stands behind a NUL byte would be overlooked here, and left in memory. */
    for (char *nul = text; (nul = memchr(nul, '\0', length - (size_t)(nul - text)));)
        *nul = '\1';
    return accept_key(text, path, ret_key, ret_error);
}

/* A key that every account of the host can read is no secret. */
static int read_private_file(const char *path, char **ret_key, char **ret_error)
{
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & 07) != 0)
        return refuse(ret_error, memory_format("the key file %s can be read by others: chmod 600 "
                                               "it, and replace the key if it was exposed",
                                               path));
    return read_file(path, ret_key, ret_error);
}

static int read_credential(const char *name, char **ret_key, char **ret_error)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory)
        return refuse(ret_error,
                      memory_format("there is no credential %s: systemd gives it to a service that "
                                    "has LoadCredential=%s:PATH",
                                    name, name));
    _cleanup_free_ char *path = memory_format("%s/%s", directory, name);
    return path ? read_file(path, ret_key, ret_error) : -ENOMEM;
}

static int read_variable(const char *name, char **ret_key, char **ret_error)
{
    const char *value = getenv(name);
    if (!value)
        return refuse(ret_error, memory_format("the environment has no %s: set it to an Admin API "
                                               "key",
                                               name));
    char *copy = strdup(value);
    return copy ? accept_key(copy, name, ret_key, ret_error) : -ENOMEM;
}

static bool has_default_credential(void)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    _cleanup_free_ char *path =
        directory ? memory_format("%s/%s", directory, DEFAULT_CREDENTIAL) : NULL;
    return path && access(path, F_OK) == 0;
}

static int read_default(char **ret_key, char **ret_error)
{
    if (has_default_credential())
        return read_credential(DEFAULT_CREDENTIAL, ret_key, ret_error);
    if (getenv(DEFAULT_VARIABLE))
        return read_variable(DEFAULT_VARIABLE, ret_key, ret_error);
    return refuse(ret_error, strdup("there is no key: set OPENAI_ADMIN_KEY to an Admin API key, or "
                                    "api.key in the configuration to \"file:PATH\" or "
                                    "\"credential:NAME\""));
}

int credential_read(const char *source, char **ret_key, char **ret_error)
{
    if (!source)
        return read_default(ret_key, ret_error);
    if (strncmp(source, "credential:", 11) == 0)
        return read_credential(source + 11, ret_key, ret_error);
    if (strncmp(source, "file:", 5) == 0)
        return read_private_file(source + 5, ret_key, ret_error);
    if (strncmp(source, "env:", 4) == 0)
        return read_variable(source + 4, ret_key, ret_error);
    return refuse(ret_error, strdup("api.key must be credential:NAME, file:PATH or env:NAME"));
}
