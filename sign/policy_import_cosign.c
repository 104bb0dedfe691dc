/* SPDX-License-Identifier: Apache-2.0 */
/* What the flags of `cosign verify` and `cosign verify-attestation` demand, as a policy. */
#include "sign/policy_impl.h"

#include <stdio.h>

enum flag_use {
    USE_VALUE,    /* its value counts, see struct flags */
    USE_PAIR,     /* "KEY=VALUE", may be repeated */
    USE_HARMLESS, /* takes a value and demands nothing */
    USE_SWITCH,   /* the same without a value */
    USE_TLOG,     /* "--insecure-ignore-tlog" */
};

struct flags {
    const char *key, *root, *identity, *identity_regex, *issuer, *type;
    const char *image; /* borrowed */
    bool no_tlog;
    struct buf annotations;
};

static const struct {
    const char *name;
    enum flag_use use;
    size_t offset;
} known[] = {
    {"key", USE_VALUE, offsetof(struct flags, key)},
    {"trusted-root", USE_VALUE, offsetof(struct flags, root)},
    {"certificate-identity", USE_VALUE, offsetof(struct flags, identity)},
    {"certificate-identity-regexp", USE_VALUE, offsetof(struct flags, identity_regex)},
    {"certificate-oidc-issuer", USE_VALUE, offsetof(struct flags, issuer)},
    {"type", USE_VALUE, offsetof(struct flags, type)},
    {"annotations", USE_PAIR, 0},
    {"a", USE_PAIR, 0},
    {"insecure-ignore-tlog", USE_TLOG, 0},
    {"private-infrastructure", USE_TLOG, 0},
    {"output", USE_HARMLESS, 0},
    {"o", USE_HARMLESS, 0},
    {"max-workers", USE_HARMLESS, 0},
    {"timeout", USE_HARMLESS, 0},
    {"t", USE_HARMLESS, 0},
    {"registry-username", USE_HARMLESS, 0},
    {"allow-http-registry", USE_SWITCH, 0},
    {"allow-insecure-registry", USE_SWITCH, 0},
    {"new-bundle-format", USE_SWITCH, 0},
    {"experimental-oci11", USE_SWITCH, 0},
    {"offline", USE_SWITCH, 0},
    {"verbose", USE_SWITCH, 0},
    {"d", USE_SWITCH, 0},
};

static int add_annotation(struct flags *f, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    AUTO_FREE char *key = equals ? strndup(text, (size_t)(equals - text)) : NULL;
    if (!equals || equals == text)
        return err_set(e, ERR_USAGE, "an annotation is KEY=VALUE");
    if (!key)
        return err_nomem(e);
    if (f->annotations.len)
        buf_append_str(&f->annotations, ", ");
    policy_put_string(&f->annotations, key);
    buf_append_str(&f->annotations, " = ");
    policy_put_string(&f->annotations, equals + 1);
    return 0;
}

/* One flag; *at is moved behind its value. */
static int take_flag(struct flags *f, char *const *args, size_t n, size_t *at, struct err *e)
{
    const char *arg = args[(*at)++], *name = arg + (arg[1] == '-' ? 2 : 1), *value = strchr(name, '=');
    size_t len = value ? (size_t)(value - name) : strlen(name), i = 0;
    while (i < ARRAY_LEN(known) && (strlen(known[i].name) != len || strncmp(known[i].name, name, len) != 0))
        i++;
    if (i == ARRAY_LEN(known))
        return policy_unsupported(e, "cosign", arg);
    bool is_switch = known[i].use == USE_SWITCH || known[i].use == USE_TLOG;
    if (value)
        value++;
    else if (!is_switch)
        value = *at < n ? args[(*at)++] : NULL;
    if (!is_switch && (!value || !*value))
        return err_set(e, ERR_USAGE, "%.100s: a value is missing", arg);
    if (known[i].use == USE_TLOG)
        f->no_tlog = !value || strcmp(value, "true") == 0;
    if (known[i].use == USE_PAIR)
        return add_annotation(f, value, e);
    if (known[i].use != USE_VALUE)
        return 0;
    const char **slot = (const char **)(void *)((char *)f + known[i].offset);
    if (*slot)
        return err_set(e, ERR_USAGE, "%.100s: twice", arg);
    *slot = value;
    return 0;
}

/* The repository of an image, as a scope: without tag and digest. */
static int put_scope(const char *image, struct buf *out, struct err *e)
{
    char scope[POLICY_PLACE_MAX];
    if (!image)
        return policy_put_scope(out, "", e);
    size_t n = strcspn(image, "@");
    const char *slash = memrchr(image, '/', n),
               *colon = slash ? memchr(slash, ':', n - (size_t)(slash - image)) : NULL;
    if (colon)
        n = (size_t)(colon - image);
    if (snprintf(scope, sizeof(scope), "%.*s", (int)(n < 4096 ? n : 4096), image) >= (int)sizeof(scope))
        return err_set(e, ERR_USAGE, "the image's name is too long");
    return policy_put_scope(out, scope, e);
}

/* Go's expressions match anywhere and have letters behind a backslash; ours are for the whole text. */
static int put_pattern(const char *pattern, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    bool from_start = *pattern == '^';
    size_t n = strlen(pattern), start = from_start ? 1 : 0;
    bool to_end = n > start && pattern[n - 1] == '$' && (n < 2 || pattern[n - 2] != '\\');
    for (const char *p = pattern; *p; p++) {
        bool letter = p[0] == '\\' && ((p[1] | 0x20) >= 'a' && (p[1] | 0x20) <= 'z');
        if (letter || (p[0] == '\\' && p[1] >= '0' && p[1] <= '9') || strncmp(p, "(?", 2) == 0)
            return policy_unsupported(e, "--certificate-identity-regexp", pattern);
        if (p[0] == '\\' && p[1])
            p++;
    }
    buf_printf(&text, "%s(%.*s)%s", from_start ? "" : ".*", (int)(n - start - to_end), pattern + start,
               to_end ? "" : ".*");
    policy_put_string(out, buf_cstr(&text));
    return buf_check(&text, e);
}

static int put_identity(const struct flags *f, struct buf *out, struct err *e)
{
    int r = 0;
    buf_append_str(out, "root = \"sigstore\"\nidentities = [{ issuer = ");
    policy_put_string(out, f->issuer);
    buf_append_str(out, f->identity ? ", subject = " : ", subject_regex = ");
    if (f->identity)
        policy_put_string(out, f->identity);
    else
        r = put_pattern(f->identity_regex, out, e);
    buf_append_str(out, " }]\n");
    return r;
}

static int check_flags(const struct flags *f, struct err *e)
{
    bool keyless = f->identity || f->identity_regex || f->issuer;
    if (f->key && strstr(f->key, "://"))
        return policy_unsupported(e, "--key", f->key);
    if (f->key && keyless)
        return policy_unsupported(e, "cosign", "a key together with an identity");
    if (!f->key && !keyless)
        return err_set(e, ERR_USAGE, "neither --key nor --certificate-identity");
    if (!f->key && (!f->issuer || (!f->identity == !f->identity_regex)))
        return err_set(e, ERR_USAGE, "one identity and --certificate-oidc-issuer are wanted");
    if (!f->key && !f->root)
        return err_set(e, ERR_USAGE, "--trusted-root is wanted: the roots are not fetched here");
    if (!f->key && f->no_tlog)
        return policy_unsupported(e, "cosign", "an identity without the transparency log");
    if (f->type && f->annotations.len)
        return policy_unsupported(e, "cosign", "--type with annotations");
    return 0;
}

static int put_policy(const struct flags *f, struct buf *out, struct err *e)
{
    buf_append_str(out, "# Imported from the flags of cosign.\nversion = 1\ndefault = \"reject\"\n");
    if (f->key && !f->no_tlog)
        buf_append_str(out, "# WARNING: without --insecure-ignore-tlog cosign also demands an entry in the\n"
                            "# transparency log for signatures by a key; that is not demanded here.\n");
    if (f->key) {
        buf_append_str(out, "\n[keys.key]\nfile = ");
        policy_put_string(out, f->key);
    } else {
        buf_append_str(out, "\n[roots.sigstore]\nfile = ");
        policy_put_string(out, f->root);
    }
    buf_append_str(out, "\n");
    if (f->type)
        buf_append_str(
            out, "\n# cosign verify-attestation asks for the attestation alone; the signature is demanded "
                 "here, too.\n");
    int r = put_scope(f->image, out, e);
    if (r)
        return r;
    if (f->key)
        buf_append_str(out, "keys = [\"key\"]\n");
    else if ((r = put_identity(f, out, e)))
        return r;
    buf_append_str(out, "formats = [\"sigstore\", \"cosign\"]\n");
    if (f->annotations.len)
        buf_printf(out, "annotations = { %s }\n", buf_cstr(&f->annotations));
    if (f->type) {
        buf_append_str(out, "attestation = [{ type = ");
        policy_put_string(out, f->type);
        buf_append_str(out, " }]\n");
    }
    return 0;
}

static int read_flags(struct flags *f, char *const *args, size_t n, struct err *e)
{
    static const char *const words[] = {"cosign", "verify", "verify-attestation"};
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (at < n && strcmp(args[at], words[i]) == 0)
            at++;
    int r = 0;
    while (!r && at < n) {
        if (args[at][0] == '-' && args[at][1])
            r = take_flag(f, args, n, &at, e);
        else if (f->image)
            r = policy_unsupported(e, "cosign", "more than one image");
        else
            f->image = args[at++];
    }
    return r ? r : check_flags(f, e);
}

int sign_policy_import_cosign(char *const *args, size_t n, struct buf *out, struct err *e)
{
    struct flags f = {.annotations = BUF_INIT(LIMIT_TOML)};
    int r = read_flags(&f, args, n, e);
    if (!r)
        r = buf_check(&f.annotations, e);
    if (!r)
        r = put_policy(&f, out, e);
    buf_done(&f.annotations);
    return r ? r : policy_import_end(out, e);
}
