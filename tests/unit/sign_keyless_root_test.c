/* SPDX-License-Identifier: Apache-2.0 */
/* Trusted roots, signed notes and inclusion proofs by themselves. */
#include "tests/unit/sign_keyless_story.h"

static int parse(struct bytes text, struct err *e)
{
    AUTO(sign_root) root = NULL;
    int r = sign_root_parse(text, &root, e);
    assert_int_equal(!r, root != NULL);
    return r;
}

static void roots(void **state)
{
    struct err e = ERR_INIT;
    const struct world *w = *state;
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    AUTO(sign_root) root = NULL;
    struct story s = a_story;
    uint8_t id[HASH_SHA256_LEN];
    s.ca_to = T0 + 5;
    make_root(w, &s, &text);
    ASSERT_OK(sign_root_parse(buf_bytes(&text), &root, &e));
    assert_int_equal(root->n_tlogs, 2);
    assert_int_equal(root->n_ctlogs, 1);
    assert_int_equal(root->n_cas, 1);
    assert_int_equal(root->n_tsas, 1);
    assert_int_equal(root->cas[0].middle.n, 1);
    assert_int_equal(sign_store_len(root->cas[0].anchor), 1);
    assert_true(root->cas[0].window.from == T0 - YEAR && root->cas[0].window.to == T0 + 5);
    assert_true(root->tlogs[0].window.to == INT64_MAX);
    assert_string_equal(root->tlogs[0].origin, ORIGIN);
    log_id(w->log_v2, id);
    assert_ptr_equal(sign_log_find(root->tlogs, 2, BYTES_ARR(id)), &root->tlogs[1]);
    assert_null(sign_log_find(root->ctlogs, 1, BYTES_ARR(id)));
    assert_null(sign_log_find(root->tlogs, 2, bytes_of(id, 4)));
}

static void small_roots(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    static const char *const good[] = {
        "{\"mediaType\":\"" ROOT_V01 "\"}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.2\",\"tlogs\":[]}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot.v0.1+json\"}",
        ("{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot.v0.2+json\",\"ctlogs\":[],\"tlogs\":[],"
         "\"certificateAuthorities\":[],\"timestampAuthorities\":[]}"),
    };
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.3\"}",
        "{\"mediaType\":\"" ROOT_V01 "\",\"tlogs\":{}}",
        "{\"mediaType\":\"" ROOT_V01 "\",\"tlogs\":[1]}",
        "{\"mediaType\":\"" ROOT_V01 "\",\"tlogs\":[{}]}",
        "{\"mediaType\":\"" ROOT_V01 "\",\"revoked\":[]}",
        "{\"mediaType\":\"" ROOT_V01 "\"}x",
        "{\"mediaType\":\"" ROOT_V01 "\",\"mediaType\":\"" ROOT_V01 "\"}",
        ("{\"mediaType\":\"" ROOT_V01 "\",\"certificateAuthorities\":[{\"certChain\":{\"certificates\":[]},"
         "\"validFor\":{\"start\":\"2026-01-01T00:00:00Z\"}}]}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ASSERT_OK(parse(bytes_str(good[i]), &e));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ASSERT_ERR(parse(bytes_str(bad[i]), &e), ERR_FORMAT);
}

/* The root with `from` once replaced by `to`. */
static int parse_with(const struct world *w, const char *from, const char *to, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    AUTO_DONE(buf) other = BUF_INIT(ROOM);
    make_root(w, &a_story, &text);
    const char *at = strstr(buf_cstr(&text), from);
    assert_non_null(at);
    buf_append(&other, text.ptr, (size_t)((const uint8_t *)at - text.ptr));
    buf_append_str(&other, to);
    buf_append_str(&other, at + strlen(from));
    return parse(buf_bytes(&other), e);
}

static void broken_roots(void **state)
{
    struct err e = ERR_INIT;
    static const struct {
        const char *from, *to, *why;
        int code;
    } cases[] = {
        {"\"start\":\"2025", "\"begin\":\"2025", "begin", ERR_FORMAT},
        {"{\"start\":\"2025-01-01T00:00:00Z\"}", "{}", "start", ERR_FORMAT},
        {"2025-01-01T00:00:00Z", "yesterday", "no time", ERR_FORMAT},
        {"\"start\":\"2025-01-01T00:00:00Z\"",
         "\"start\":\"2025-01-01T00:00:00Z\",\"end\":\"2024-01-01T00:00:00Z\"", "ends before", ERR_FORMAT},
        {"https://" ORIGIN, "https://log example", "other characters", ERR_FORMAT},
        {"SHA2_256", "SHA2_512", "another hash", ERR_UNSUPPORTED},
        {"\"keyId\":\"", "\"keyId\":\"AAAA", "identifier", ERR_FORMAT},
        {"\"rawBytes\":\"MF", "\"rawBytes\":\"MG", "tlogs[0]", ERR_FORMAT},
        {"\"uri\"", "\"url\"", "url", ERR_FORMAT},
        {"\"certificates\":[", "\"certificates\":[{\"rawBytes\":\"MAA=\"},", "certificateAuthorities[0]",
         ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ASSERT_ERR(parse_with(*state, cases[i].from, cases[i].to, &e), cases[i].code);
        if (!strstr(e.msg, cases[i].why))
            fail_msg("\"%s\" is not in: %s", cases[i].why, e.msg);
    }
    /* A key of a kind that is not known makes its log useless, not the root. */
    ASSERT_OK(parse_with(*state, "PKIX_ECDSA_P256_SHA_256", "LMOTS_SHA256", &e));
    /* The name is part of a newer log's identifier. */
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    make_root(*state, &a_story, &text);
    char *at = strstr((char *)text.ptr, ORIGIN);
    at = strstr(at + 1, ORIGIN);
    at[0] = 'd';
    ASSERT_ERR(parse(buf_bytes(&text), &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "tlogs[1]: its identifier is not that of its key"));
}

static void a_log_twice(void **state)
{
    struct err e = ERR_INIT;
    const struct world *w = *state;
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    struct jout j = {.out = &text};
    jout_object(&j, NULL);
    jout_string(&j, "mediaType", ROOT_V01);
    jout_array(&j, "ctlogs");
    put_log(&j, w->ct, 0);
    put_log(&j, w->ct, T0);
    jout_array_end(&j);
    jout_object_end(&j);
    ASSERT_ERR(parse(buf_bytes(&text), &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "twice"));
}

static void damaged_roots(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    make_root(*state, &a_story, &text);
    for (size_t i = 0; i < text.len; i++) {
        assert_true(parse(bytes_of(text.ptr, i), &e) != 0);
        text.ptr[i] ^= (uint8_t)(1U << (i % 7));
        (void)parse(buf_bytes(&text), &e);
        text.ptr[i] ^= (uint8_t)(1U << (i % 7));
    }
    AUTO_DONE(buf) large = BUF_INIT(2 * ROOM);
    memset(buf_reserve(&large, LIMIT_ROOT + 1), ' ', LIMIT_ROOT + 1);
    large.len = LIMIT_ROOT + 1;
    ASSERT_ERR(parse(buf_bytes(&large), &e), ERR_LIMIT);
}

/* Each leaf of each tree up to 40: its own path leads to the head, and no other place, size or path does. */
static void inclusion(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    static uint8_t leaves[40][HASH_SHA256_LEN];
    for (uint8_t i = 0; i < ARRAY_LEN(leaves); i++)
        ASSERT_OK(sign_merkle_leaf(bytes_of(&i, 1), leaves[i], &e));
    for (size_t n = 1; n <= ARRAY_LEN(leaves); n++)
        for (size_t at = 0; at < n; at++) {
            AUTO_DONE(buf) path = BUF_INIT(ROOM);
            uint8_t head[HASH_SHA256_LEN], got[HASH_SHA256_LEN];
            tree(leaves, n, at, &path, head);
            size_t len = path.len / HASH_SHA256_LEN;
            ASSERT_OK(sign_merkle_root(leaves[at], at, n, path.ptr, len, got, &e));
            assert_memory_equal(got, head, sizeof(got));
            for (size_t other = 0; other < n; other++)
                if (other != at && sign_merkle_root(leaves[at], other, n, path.ptr, len, got, &e) == 0)
                    assert_memory_not_equal(got, head, sizeof(got));
            if (len)
                ASSERT_ERR(sign_merkle_root(leaves[at], at, n, path.ptr, len - 1, got, &e), ERR_FORMAT);
            ASSERT_ERR(sign_merkle_root(leaves[at], n, n, path.ptr, len, got, &e), ERR_FORMAT);
        }
    uint8_t got[HASH_SHA256_LEN];
    ASSERT_ERR(sign_merkle_root(leaves[0], 0, 0, NULL, 0, got, &e), ERR_FORMAT);
    ASSERT_ERR(sign_merkle_root(leaves[0], 0, 1, leaves[1], 1, got, &e), ERR_FORMAT);
    /* RFC 6962 section 2.1.3 has no vector; that of one entry is SHA-256 of 00 (RFC 9162 section 2.1.1). */
    ASSERT_OK(sign_merkle_leaf(BYTES_NONE, got, &e));
    uint8_t want[HASH_SHA256_LEN];
    assert_memory_equal(got,
                        unhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", want).ptr,
                        sizeof(got));
}

static void notes(void **state)
{
    struct err e = ERR_INIT;
    struct sign_note note;
    (void)state;
#define LINE "\xe2\x80\x94 log.example AAAAAAAA\n"
    ASSERT_OK(sign_note_parse(BYTES_LIT("a\n\n" LINE), &note, &e));
    assert_int_equal(note.n, 1);
    assert_true(bytes_eq_str(note.text, "a\n"));
    assert_true(bytes_eq_str(note.lines[0].name, "log.example"));
    ASSERT_OK(sign_note_parse(BYTES_LIT("a\n\nb\n\n" LINE LINE), &note, &e));
    assert_int_equal(note.n, 2);
    assert_true(bytes_eq_str(note.text, "a\n\nb\n"));
    static const char *const bad[] = {
        "",
        "a",
        "a\n",
        "a\n\n",
        LINE,
        "\n\n",
        "a\n" LINE,
        "a\n\n" LINE "b\n",
        "a\n\n\xe2\x80\x94 x AAAA",
        "a\n\n- log.example AAAA\n",
        "a\n\n\xe2\x80\x94 log.example\n",
        "a\n\n\xe2\x80\x94  AAAA\n",
        "a\n\n\xe2\x80\x94 l+g AAAA\n",
        "a\r\n\n" LINE,
        "\xff\n\n" LINE,
        "a\n\n" LINE "\n",
        "a\n\n\xe2\x80\x94 log.example \n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (sign_note_parse(bytes_str(bad[i]), &note, &e) != ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
    AUTO_DONE(buf) many = BUF_INIT(ROOM);
    buf_append_str(&many, "a\n\n");
    for (size_t i = 0; i <= LIMIT_NOTE_SIGNATURES; i++)
        buf_append_str(&many, LINE);
    ASSERT_ERR(sign_note_parse(buf_bytes(&many), &note, &e), ERR_LIMIT);
}

static void checkpoint_texts(void **state)
{
    struct err e = ERR_INIT;
    struct sign_checkpoint c;
    (void)state;
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    ASSERT_OK(sign_checkpoint_parse(BYTES_LIT("log.example\n18\n" ROOT), &c, &e));
    assert_true(c.size == 18 && bytes_eq_str(c.origin, "log.example"));
    ASSERT_OK(sign_checkpoint_parse(BYTES_LIT("log.example\n0\n" ROOT "more\n"), &c, &e));
    assert_true(c.size == 0);
    assert_true(sign_checkpoint_named(&c, BYTES_LIT("log.example")));
    assert_false(sign_checkpoint_named(&c, BYTES_LIT("log.exampl")));
    assert_false(sign_checkpoint_named(&c, BYTES_LIT("log.example2")));
    static const char *const bad[] = {
        "",
        "\n18\n" ROOT,
        "l\n" ROOT,
        "l\n018\n" ROOT,
        "l\n-1\n" ROOT,
        "l\n+1\n" ROOT,
        "l\n \n" ROOT,
        "l\n99999999999999999999\n" ROOT,
        "l\n18\n",
        "l\n18\nAAAA\n",
        "l\n18\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (sign_checkpoint_parse(bytes_str(bad[i]), &c, &e) != ERR_FORMAT)
            fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots),       cmocka_unit_test(small_roots),      cmocka_unit_test(broken_roots),
        cmocka_unit_test(a_log_twice), cmocka_unit_test(damaged_roots),    cmocka_unit_test(inclusion),
        cmocka_unit_test(notes),       cmocka_unit_test(checkpoint_texts),
    };
    return cmocka_run_group_tests(tests, world_make, world_free);
}
