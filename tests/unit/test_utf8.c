/* UTF-8: what is valid, and how it is shown. */
#include "unit.h"

#include "codec/utf8.h"
#include "core/address.h"
#include "core/hidden.h"

static void knows_valid_text(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "ada",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "z\xc3\xbcrich \xe2\x82\xac",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(utf8_fault_offset(cases[i], strlen(cases[i])), strlen(cases[i]));
}

static void finds_the_fault(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2x",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2x\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xf9\x80\x80\x80",
        "\xfc\x90\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "a\xc3\xbc%s", cases[i]);
        assert_int_equal(utf8_fault_offset(text, (size_t)length), 3);
    }
}

static size_t encode(uint32_t c, char bytes[static 4])
{
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(length == 1 ? c : (0xf00u >> length | c));
    return length;
}

static void decodes_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char bytes[4];
        uint32_t code = 0;
        size_t length = encode(c, bytes);
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(utf8_decode(bytes, length, &code), surrogate ? 0 : length);
        assert_int_equal(code, surrogate ? 0 : c);
        assert_int_equal(utf8_decode(bytes, length - 1, &code), 0);
    }
}

static void names_what_is_no_text(void **state)
{
    (void)state;
    unsigned line = 0;
    assert_null(utf8_text_fault("", 0, &line));
    assert_null(utf8_text_fault("a\nb", 3, &line));
    assert_non_null(strstr(utf8_text_fault("\xef\xbb\xbf\nx", 5, &line), "byte order mark"));
    assert_int_equal(line, 1);
    assert_non_null(strstr(utf8_text_fault("a\nb\0\xff", 5, &line), "NUL"));
    assert_int_equal(line, 2);
    assert_non_null(strstr(utf8_text_fault("a\n\nb\xff\0", 6, &line), "UTF-8"));
    assert_int_equal(line, 3);
}

static void shows_what_is_hidden(void **state)
{
    (void)state;
    _cleanup_free_ char *text =
        utf8_escape("a\n\t\r\x1b[31m\x7f \xc2\x85\xe2\x80\xae\xf3\xa0\x80\x81\xff\xc3\xbc\xe2\x82");
    assert_string_equal(text, "a\\n\\t\\r\\x1b[31m\\x7f \\u0085\\u202e\\U000e0001\\xff\xc3\xbc"
                              "\\xe2\\x82");
}

static void shows_what_is_ignorable(void **state)
{
    (void)state;
    static const uint32_t hidden[] = {0,       0x1f,    0x7f,    0x9f,   0xad,   0x34f,  0x115f,
                                      0x1160,  0x17b4,  0x180e,  0x200b, 0x2028, 0x202e, 0x2066,
                                      0x3164,  0xfe00,  0xfe0f,  0xfeff, 0xffa0, 0xfff9, 0x1bca0,
                                      0x1d173, 0xe0001, 0xe0100, 0xe0fff};
    static const uint32_t shown[] = {0x20,   0x7e,   0xa0,    0xac,    0xae,    0x34e,
                                     0x350,  0x2010, 0x2027,  0x202f,  0x2070,  0x3163,
                                     0xfe10, 0xfffc, 0x1d17b, 0x1f600, 0xe1000, 0x10ffff};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        assert_true(hidden_code(hidden[i]));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        assert_false(hidden_code(shown[i]));
}

static void assert_short(const char *text, size_t most, const char *expected)
{
    _cleanup_free_ char *escaped = utf8_escape_short(text, most);
    assert_string_equal(escaped, expected);
}

static void cuts_between_characters(void **state)
{
    (void)state;
    assert_short("", 3, "");
    assert_short("abc", 3, "abc");
    assert_short("abcd", 3, "...");
    assert_short("abcde", 4, "a...");
    assert_short("a\x1b", 5, "a\\x1b");
    assert_short("a\x1b", 4, "a...");
    assert_short("ab\x1b\x1b", 9, "ab\\x1b...");
    assert_short("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 8, "\xe2\x82\xac...");
    assert_short("\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac\xe2\x82\xac");
}

/* What is spelled out where text is shown has no place in an address. */
static void no_address_has_what_is_hidden(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++) {
        char address[16] = "ada";
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        strcpy(address + 3 + encode(c, address + 3), "@x");
        if (hidden_code(c) && !address_fault(address))
            fail_msg("U+%04X is taken", (unsigned)c);
    }
}

static void quotes_are_short(void **state)
{
    (void)state;
    char buffer[UTF8_QUOTE_SIZE], text[500];
    assert_string_equal(utf8_quote("", buffer), "``");
    assert_string_equal(utf8_quote("a\x1b", buffer), "`a\\x1b`");
    for (size_t length = 0; length < sizeof text - 4; length++) {
        memset(text, 'x', length);
        strcpy(text + length, "\xe2\x80\xae");
        size_t quoted = strlen(utf8_quote(text, buffer));
        assert_true(quoted < UTF8_QUOTE_SIZE);
        assert_true(length > 54 || strstr(buffer, "\\u202e`"));
        assert_true(length <= 60 || strstr(buffer, "x...`"));
    }
    for (size_t i = 0; i < 400; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 4);
    assert_int_equal(strlen(utf8_quote(text, buffer)), UTF8_QUOTE_SIZE - 1);
    assert_int_equal(utf8_fault_offset(buffer, strlen(buffer)), strlen(buffer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_valid_text),
        cmocka_unit_test(finds_the_fault),
        cmocka_unit_test(decodes_every_code_point),
        cmocka_unit_test(names_what_is_no_text),
        cmocka_unit_test(shows_what_is_hidden),
        cmocka_unit_test(quotes_are_short),
        cmocka_unit_test(shows_what_is_ignorable),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(no_address_has_what_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
