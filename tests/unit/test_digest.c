/* Digests: SHA-256, cut to twelve digits. */
#include "unit.h"

#include "codec/digest.h"
#include "core/memory.h"

static void known_sums(void **state)
{
    (void)state;
    /* FIPS 180-2 and its well-known neighbours. */
    static const char *const rows[][2] = {
        {"", "e3b0c44298fc"},
        {"abc", "ba7816bf8f01"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d206"},
    };
    for (size_t i = 0; i < 3; i++) {
        _cleanup_free_ char *id = digest_id(rows[i][0]);
        assert_string_equal(id, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
