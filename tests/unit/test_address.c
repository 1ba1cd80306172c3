/* Addresses: what is one, when two are the same, and what a pattern covers. */
#include "unit.h"

#include "core/address.h"

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *address, *fault;
    } rows[] = {
        {"a@b", NULL},
        {"Ada.Lovelace+x@Example.com", NULL},
        {"g\xc3\xbcnter@example.com", NULL},
        {"", "is empty"},
        {"ada", "must contain exactly one @"},
        {"a@b@c", "must contain exactly one @"},
        {"@", "needs a name before the @ and a domain after it"},
        {"@b", "needs a name before the @ and a domain after it"},
        {"a@", "needs a name before the @ and a domain after it"},
        {"a b@c", "contains a space"},
        {" a@b", "contains a space"},
        {"a@b\xc2\xa0", "contains a space"},     /* no-break space */
        {"a\xe3\x80\x80@b", "contains a space"}, /* ideographic space */
        {"a\xe2\x80\x8a@b", "contains a space"}, /* hair space */
        {"a\xe2\x81\x9f@b", "contains a space"}, /* mathematical space */
        {"a\t@b", "contains a control character"},
        {"a@b\n", "contains a control character"},
        {"a\x7f@b", "contains a control character"},
        {"a\xc2\x85@b", "contains a control character"},     /* C1 */
        {"a\xc2\xad@b", "contains a control character"},     /* soft hyphen */
        {"a\xd8\x9c@b", "contains a control character"},     /* Arabic letter mark */
        {"a\xe2\x80\x8b@b", "contains a control character"}, /* zero-width space */
        {"a\xe2\x80\xae@b", "contains a control character"}, /* right-to-left override */
        {"a\xe2\x80\xa8@b", "contains a control character"}, /* line separator */
        {"a\xe2\x81\xa6@b", "contains a control character"}, /* isolate */
        {"a\xef\xbb\xbf@b", "contains a control character"}, /* byte order mark */
        {"\xf0\x9f\x90\xbb@b", NULL},                        /* four bytes */
        {"*@b", "contains a *, which only ignore patterns may"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault = address_fault(rows[i].address);
        if (!rows[i].fault)
            assert_null(fault);
        else
            assert_string_equal(fault ? fault : "fine", rows[i].fault);
    }
    assert_null(address_pattern_fault("*@b"));
    assert_null(address_pattern_fault("*@*"));
    assert_non_null(address_pattern_fault("*"));
    assert_non_null(address_pattern_fault("*@b@c"));
    assert_non_null(address_pattern_fault("* @b"));
}

static void length_is_bounded(void **state)
{
    (void)state;
    char address[ADDRESS_MAX + 2];
    memset(address, 'x', sizeof address);
    address[1] = '@';
    address[ADDRESS_MAX] = '\0';
    assert_null(address_fault(address));
    address[ADDRESS_MAX] = 'x';
    address[ADDRESS_MAX + 1] = '\0';
    assert_string_equal(address_fault(address), "is longer than 254 bytes");
}

static void order_ignores_ascii_case_only(void **state)
{
    (void)state;
    assert_int_equal(address_compare("Ada@X", "aDA@x"), 0);
    assert_int_equal(address_compare("", ""), 0);
    assert_true(address_compare("a@x", "B@x") < 0);
    assert_true(address_compare("B@x", "a@x") > 0);
    assert_true(address_compare("a@x", "a@xy") < 0);
    assert_true(address_compare("a@xy", "a@x") > 0);
    /* Not letters: `[` and `{` differ by the same bit as `A` and `a`. */
    assert_int_not_equal(address_compare("[@x", "{@x"), 0);
    assert_int_not_equal(address_compare("@@x", "`@x"), 0);
    /* U+00C4 and U+00E4 are two addresses to us; bytes above 127 come last, not first. */
    assert_int_not_equal(address_compare("\xc3\x84@x", "\xc3\xa4@x"), 0);
    assert_true(address_compare("\xc3\xa4@x", "z@x") > 0);
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *address;
        bool covers;
    } rows[] = {
        {"*@vendor.example", "bot@vendor.example", true},
        {"*@vendor.example", "BOT@Vendor.Example", true},
        {"*@vendor.example", "bot@sub.vendor.example", false},
        {"*@vendor.example", "bot@vendor.example.org", false},
        {"*@vendor.example", "@vendor.example", true},
        {"ada@x", "ada@x", true},
        {"ada@x", "ada@xy", false},
        {"ada@x", "xada@x", false},
        {"bot-*@x", "bot-@x", true},
        {"bot-*@x", "bot-7@x", true},
        {"bot-*@x", "bot7@x", false},
        {"*@*", "anybody@anywhere", true},
        {"**@x", "ada@x", true},
        {"*a*b*@x", "xxaxxbxx@x", true},
        {"*a*b*@x", "xxbxxaxx@x", false},
        {"*ab@x", "aab@x", true},
        {"*aab@x", "aaab@x", true},
        {"a@*.x", "a@b.x.x", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (address_matches(rows[i].pattern, rows[i].address) != rows[i].covers)
            fail_msg("%s and %s", rows[i].pattern, rows[i].address);
}

/* A pattern covers the address, and is one that an ignore list takes. */
static void patterns_for_addresses(void **state)
{
    (void)state;
    char long_one[ADDRESS_MAX + 3];
    memset(long_one, 'x', sizeof long_one);
    long_one[1] = '@';
    long_one[sizeof long_one - 1] = '\0';
    const struct {
        const char *address, *pattern; /* "": there is none */
    } rows[] = {
        {"ada@x", "ada@x"},
        {"Ada@X", "Ada@X"},
        {"a*a@x", "a*a@x"},
        {"ada lovelace@x", "ada*lovelace@x"},
        {"ada\n\xe2\x80\xae@x", "ada**@x"},
        {"\xc3\xa4@x\xc2\xa0y", "\xc3\xa4@x*y"},
        {"a@b@c", "a*b@c"},
        {"@x", "*@x"},
        {"a@", "a@*"},
        {"@", "*@*"},
        {"@@", "*@*"},
        {"ada", ""},
        {"", ""},
        {long_one, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        _cleanup_free_ char *pattern = address_pattern(rows[i].address);
        assert_string_equal(pattern, rows[i].pattern);
        if (*pattern) {
            assert_null(address_pattern_fault(pattern));
            assert_true(address_matches(pattern, rows[i].address));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(order_ignores_ascii_case_only),
        cmocka_unit_test(patterns),
        cmocka_unit_test(patterns_for_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
