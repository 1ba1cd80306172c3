/* The traps of libconfig: each is closed, and named with its line. */
#include "unit.h"

#include <errno.h>

#include "codec/conftext.h"

static int parse(const char *text, size_t length, config_t *config, struct problems *problems)
{
    _cleanup_free_ char *copy = unit_prefix(text, length);
    config_init(config);
    return conftext_parse("f", copy, length, config, problems);
}

struct refusal {
    const char *text, *problem;
};

static void assert_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        config_t config;
        struct problems problems = {0};
        int r = parse(refusals[i].text, strlen(refusals[i].text), &config, &problems);
        config_destroy(&config);
        ASSERT_PROBLEMS(&problems, refusals[i].problem);
        assert_int_equal(r, -EBADMSG);
    }
}
#define ASSERT_REFUSALS(refusals) assert_refusals(refusals, sizeof refusals / sizeof *refusals)

static void refuses_what_is_not_closed(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"a: {};\n/* x", "f:2: the comment that begins here is never closed; add */\n"},
        {"a: {};\n/*/", "f:2: the comment that begins here is never closed; add */\n"},
        {"a: {};\n/* x\n\n*", "f:2: the comment that begins here is never closed; add */\n"},
        {"a: {\nb = \"x\n\n", "f:2: the string that begins here is never closed; add a quote\n"},
        {"b = \"x\\\"", "f:1: the string that begins here is never closed; add a quote\n"},
        {"b = \"\\\\\\\"", "f:1: the string that begins here is never closed; add a quote\n"},
        {"a: {\nb = (\n1", "f:3: the file ends before the ( of line 2 is closed; it may have been "
                           "cut short\n"},
        {"a: {\nb = (\n}", "f:3: this } does not close the ( of line 2; close that first\n"},
        {"a: {\n}\n}", "f:3: this } closes nothing; remove it or add the { before it\n"},
        {"a = [1)", "f:1: this ) does not close the [ of line 1; close that first\n"},
    };
    ASSERT_REFUSALS(refusals);
}

static void refuses_includes(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"@include \"x\"\n", "f:1: @include is not supported; put the text itself here\n"},
        {"a: {\n \t@include \"/etc\"\n}\n",
         "f:2: @include is not supported; put the text itself here\n"},
        {"/*\n*/@include", "f:2: @include is not supported; put the text itself here\n"},
    };
    ASSERT_REFUSALS(refusals);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"\xef\xbb\xbf"
         "a = 1",
         "f:1: the file begins with a byte order mark; save it as UTF-8 without one\n"},
        {"a = 1\n# \xff", "f:2: not valid UTF-8; save the file as UTF-8\n"},
        {"a = \"\n\xc0\x80\"", "f:2: not valid UTF-8; save the file as UTF-8\n"},
        {"a = \"x\\x00\"", "f:1: \\x00 in a string would cut it short; remove it\n"},
    };
    ASSERT_REFUSALS(refusals);
    config_t config;
    struct problems problems = {0};
    assert_int_equal(parse("a = 1;\nb\0 = 2;", 14, &config, &problems), -EBADMSG);
    config_destroy(&config);
    ASSERT_PROBLEMS(&problems,
                    "f:2: a NUL byte; the file is damaged or not a text, write it again\n");
}

static void refuses_bad_syntax(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"a = (\"x\",\n\"y\",\n)", "f:3: remove the comma after the last item of this list\n"},
        {"a = (\"x\"\n\"y\")",
         "f:2: put a comma between this item of the list and the one before\n"},
        {"a = ({}\n{})", "f:2: put a comma between this item of the list and the one before\n"},
        {"a = [1\n2]", "f:2: put a comma between this item of the list and the one before\n"},
        {"a: { b = 1;\nb = 2; }",
         "f:2: a key is given a second time here; remove one of the two\n"},
        {"a = [1,\n\"x\"]", "f:2: the items between [ and ] are of different types; write the list "
                            "with ( and )\n"},
        {"a:\n{ b 1 }",
         "f:2: syntax error; look here and on the line before for a missing =, quote or bracket\n"},
        {"a = \"x\";\n\"y\"",
         "f:2: syntax error; look here and on the line before for a missing =, quote or bracket\n"},
        {"a = 1;\n@",
         "f:2: syntax error; look here and on the line before for a missing =, quote or bracket\n"},
    };
    ASSERT_REFUSALS(refusals);
}

static void bounds_nesting(void **state)
{
    (void)state;
    char text[200] = "a = ";
    memset(text + 4, '(', 33);
    const struct refusal refusals[] = {
        {text, "f:1: brackets are nested too deeply; take some away\n"}};
    ASSERT_REFUSALS(refusals);
    memset(text + 36, ')', 32);
    config_t config;
    struct problems problems = {0};
    assert_int_equal(parse(text, strlen(text), &config, &problems), 0);
    config_destroy(&config);
}

static void accepts_what_looks_suspicious(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "# /* \n",
        "// /*",
        "# \"",
        "/* \" */",
        "/**/",
        "/***/",
        "a = \"/*\";",
        "a = \"# //\"",
        "a = \"@include\"",
        "# @include \"x\"",
        "a = \"x\" /* \"y\" */ \"z\"",
        "a = \"\\x4\"",
        "a = \"\\q\\\\\"",
        "a-1 = 2 b_2* = 3",
        "a = (1, 2.5, .5, -1e3, \"x\", {}, ())",
        "a = [\"x\" , \"y\"]",
        "a = true\r\nb = FALSE\f",
        "a = \"x\ny\"",
        "a = 0x7FFFFFFF",
        "a = (\"x\" # ,\n , /* , */ \"y\")",
        "a: {b = 1},",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        config_t config;
        struct problems problems = {0};
        int r = parse(texts[i], strlen(texts[i]), &config, &problems);
        config_destroy(&config);
        ASSERT_PROBLEMS(&problems, "");
        assert_int_equal(r, 0);
    }
}

static void does_not_cut_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type;
        int value;
    } cases[] = {
        {"a=2147483647", CONFIG_TYPE_INT, 2147483647},
        {"a=-2147483647", CONFIG_TYPE_INT, -2147483647},
        {"a=0000000000000000007", CONFIG_TYPE_INT, 7},
        {"a=0x7fffffff", CONFIG_TYPE_INT, 2147483647},
        {"a=0X0000000000000000A", CONFIG_TYPE_INT, 10},
        {"a=2147483648", CONFIG_TYPE_INT64, 0},
        {"a=5000000000", CONFIG_TYPE_INT64, 0},
        {"a=-5000000000", CONFIG_TYPE_INT64, 0},
        {"a=+5000000000;", CONFIG_TYPE_INT64, 0},
        {"a=0xFFFFFFFF", CONFIG_TYPE_INT64, 0},
        {"a=0x80000000", CONFIG_TYPE_INT64, 0},
        {"a=0x10000000000000005L", CONFIG_TYPE_INT64, 0},
        {"a=99999999999999999999999999999", CONFIG_TYPE_INT64, 0},
        {"a=18446744073709551621LL", CONFIG_TYPE_INT64, 0},
        {"a=5L", CONFIG_TYPE_INT64, 0},
        {"a=5000000000.0", CONFIG_TYPE_FLOAT, 0},
        {"a=.5000000000", CONFIG_TYPE_FLOAT, 0},
        {"a=-5000000000e0", CONFIG_TYPE_FLOAT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config_t config;
        struct problems problems = {0};
        assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &config, &problems), 0);
        const config_setting_t *setting = config_lookup(&config, "a");
        assert_non_null(setting);
        assert_int_equal(config_setting_type(setting), cases[i].type);
        if (cases[i].type == CONFIG_TYPE_INT)
            assert_int_equal(config_setting_get_int(setting), cases[i].value);
        config_destroy(&config);
    }
}

/* libconfig alone gives "bad" the line of the closing bracket. */
static void gives_items_their_line(void **state)
{
    (void)state;
    static const char text[] =
        "a:\n{\n  b = ( \"x\", # one\n    { c = \"y\"\n },\n \"two\n lines\"\n"
        ",\n  \"bad\"\n\n  );\n d = [ \"z\"\n];\n};\n";
    static const struct {
        const char *path;
        unsigned line;
    } cases[] = {{"a", 1},         {"a.b", 3},     {"a.b.[0]", 3}, {"a.b.[1]", 4},
                 {"a.b.[1].c", 4}, {"a.b.[2]", 6}, {"a.b.[3]", 9}, {"a.d.[0]", 12}};
    config_t config;
    struct problems problems = {0};
    assert_int_equal(parse(text, sizeof text - 1, &config, &problems), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const config_setting_t *setting = config_lookup(&config, cases[i].path);
        assert_non_null(setting);
        assert_int_equal(config_setting_source_line(setting), cases[i].line);
    }
    config_destroy(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_closed),
        cmocka_unit_test(refuses_includes),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(refuses_bad_syntax),
        cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(accepts_what_looks_suspicious),
        cmocka_unit_test(does_not_cut_numbers),
        cmocka_unit_test(gives_items_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
