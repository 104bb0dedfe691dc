/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"
#include "tests/unit/unit.h"

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *value, *target; /* NULL: malformed; "": no next */
    } cases[] = {
        {"</v2/x/tags/list?n=2&last=b>; rel=\"next\"", "/v2/x/tags/list?n=2&last=b"},
        {"<a>; rel=next", "a"},
        {"<a>;rel=\"prev next\"", "a"},
        {"<a> ; REL = NEXT ; x", "a"},
        {"<a>; rel=\"prev\", <b>; rel=\"next\"", "b"},
        {"<a,b>; title=\"x, y; rel=next\", <c>; rel=next", "c"},
        {"<a>; rel=\"nextone\"", ""},
        {"<a>", ""},
        {"", ""},
        {"  ", ""},
        {"a", NULL},
        {"<a", NULL},
        {"<a>; rel=\"next", NULL},
        {"<a>; =x", NULL},
        {"<a>; rel=prev <b>; rel=next", NULL},
        {"<a>; rel=prev, b; rel=next", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        struct bytes target = BYTES_NONE;
        int r = net_link_parse(bytes_str(cases[i].value), &target, &e);
        if ((r == 0) != (cases[i].target != NULL))
            print_message("# %s: %d\n", cases[i].value, r);
        assert_int_equal(r, cases[i].target ? 0 : ERR_FORMAT);
        if (!r)
            assert_true(bytes_eq_str(target, cases[i].target));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
