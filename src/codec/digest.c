/* SHA-256 by libcrypto. */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES 6

char *digest_id(const char *text)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_Digest(text, strlen(text), sum, &length, EVP_sha256(), NULL) != 1 || length < ID_BYTES)
        return NULL;
    char *id = malloc(2 * ID_BYTES + 1);
    if (!id)
        return NULL;
    for (size_t i = 0; i < ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", (unsigned)sum[i]);
    return id;
}
