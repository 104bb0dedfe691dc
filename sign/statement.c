/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/statement.h"

#include "base/limits.h"
#include "base/text.h"
#include "sign/predicate.h"

#include <stdio.h>

void sign_statement_done(struct sign_statement *s)
{
    jdoc_free(s->doc);
}

static int check_subject(const struct jval *v, struct err *e)
{
    const struct jval *digests, *value;
    const char *name;
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a subject that is no object");
    int r = jobj_want_object(v, "digest", true, &digests, e);
    if (r)
        return r;
    if (jobj_len(digests) == 0)
        return err_set(e, ERR_FORMAT, "a subject without a digest");
    if (jobj_len(digests) > LIMIT_SUBJECT_DIGESTS)
        return err_set(e, ERR_LIMIT, "a subject with more than %u digests", LIMIT_SUBJECT_DIGESTS);
    for (const void *i = jobj_next(digests, NULL, &name, &value); i; i = jobj_next(digests, i, &name, &value))
        if (jval_kind(value) != JKIND_STRING)
            return err_set(e, ERR_FORMAT, "a digest that is no string");
    return 0;
}

static int check_subjects(const struct jval *subjects, struct err *e)
{
    if (jarr_len(subjects) == 0)
        return err_set(e, ERR_FORMAT, "no subject");
    if (jarr_len(subjects) > LIMIT_SUBJECTS)
        return err_set(e, ERR_LIMIT, "more than %u subjects", LIMIT_SUBJECTS);
    for (size_t i = 0; i < jarr_len(subjects); i++) {
        int r = check_subject(jarr_at(subjects, i), e);
        if (r)
            return r;
    }
    return 0;
}

static int read_statement(const struct jval *root, struct sign_statement *ret, struct err *e)
{
    const char *type;
    if (jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = jobj_want_string(root, "_type", true, &type, e);
    if (r)
        return r;
    if (strcmp(type, SIGN_STATEMENT_V1) != 0 && strcmp(type, SIGN_STATEMENT_V0_1) != 0)
        return err_set(e, ERR_FORMAT, "of a version that is not known");
    r = jobj_want_string(root, "predicateType", true, &ret->predicate_type, e);
    if (r)
        return r;
    if (!*ret->predicate_type)
        return err_set(e, ERR_FORMAT, "without a type of its predicate");
    ret->predicate = jobj_get(root, "predicate");
    if (ret->predicate && jval_kind(ret->predicate) == JKIND_NULL)
        ret->predicate = NULL;
    r = jobj_want_array(root, "subject", true, &ret->subjects, e);
    return r ? r : check_subjects(ret->subjects, e);
}

int sign_statement_parse(struct bytes text, struct sign_statement *ret, struct err *e)
{
    if (text.len > LIMIT_BUNDLE)
        return err_set(e, ERR_LIMIT, "a statement of more than %u bytes", LIMIT_BUNDLE);
    int r = jdoc_parse(text, &ret->doc, e);
    if (!r)
        r = read_statement(jdoc_root(ret->doc), ret, e);
    return r ? err_wrap(e, "in-toto statement") : 0;
}

const struct jval *sign_statement_subject(const struct sign_statement *s, const struct digest *digest)
{
    char hex[DIGEST_STR_MAX];
    digest_hex(digest, hex);
    for (size_t i = 0; i < jarr_len(s->subjects); i++) {
        const struct jval *subject = jarr_at(s->subjects, i);
        const struct jval *found = jobj_get(jobj_get(subject, "digest"), hash_name(digest->alg));
        if (found && strcmp(jval_string(found), hex) == 0)
            return subject;
    }
    return NULL;
}

void sign_check_cover(struct sign_check *check, const struct sign_subject *subject)
{
    char digest[DIGEST_STR_MAX];
    (void)snprintf(check->covers, sizeof(check->covers), "%s %s", *subject->media_type ? "manifest" : "file",
                   digest_str(&subject->digest, digest));
}

bool sign_annotations_want(const struct jval *found, const struct sign_trust *trust, struct sign_check *check)
{
    char key[64], want[64];
    for (size_t i = 0; i < trust->n_annotations; i++) {
        const struct sign_pair *p = &trust->annotations[i];
        const struct jval *value = jobj_get(found, p->key);
        const char *text = value ? jval_string(value) : NULL;
        if (text && strcmp(text, p->value) == 0)
            continue;
        (void)sign_check_set(check, ERR_POLICY, "signed without the annotation %s=%s",
                             text_escape_str(p->key, key, sizeof(key)),
                             text_escape_str(p->value, want, sizeof(want)));
        return false;
    }
    return true;
}

enum sign_check_kind sign_statement_kind(struct bytes text)
{
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    struct err ignored = ERR_INIT;
    bool other =
        sign_statement_parse(text, &s, &ignored) == 0 && strcmp(s.predicate_type, SIGN_PREDICATE_SIGN) != 0;
    return other ? SIGN_CHECK_ATTESTATION : SIGN_CHECK_SIGNATURE;
}

static int judge_signature(const struct sign_statement *s, const struct jval *about,
                           const struct sign_trust *trust, struct sign_check *check)
{
    /* cosign v2 leaves the predicate out, v3 writes an empty one; more would be said than is understood. */
    if (s->predicate && (jval_kind(s->predicate) != JKIND_OBJECT || jobj_len(s->predicate) > 0))
        return sign_check_set(check, ERR_FORMAT,
                              "a signature that says more than that the artifact is signed");
    if (!sign_annotations_want(jobj_get(about, "annotations"), trust, check))
        return 0;
    return sign_check_set(check, 0, "signed");
}

static int judge_attestation(const struct sign_statement *s, struct bytes text, struct sign_check *check,
                             struct err *e)
{
    char shown[200];
    const char *alias = sign_predicate_alias(s->predicate_type);
    check->kind = SIGN_CHECK_ATTESTATION;
    check->predicate_type = strdup(s->predicate_type);
    check->statement = strndup((const char *)text.ptr, text.len); /* valid JSON has no NUL */
    if (!check->predicate_type || !check->statement)
        return err_nomem(e);
    return sign_check_set(check, 0, "attestation %s",
                          alias ? alias : text_escape_str(s->predicate_type, shown, sizeof(shown)));
}

int sign_statement_judge(struct bytes text, const struct sign_subject *subject,
                         const struct sign_trust *trust, struct sign_check *check, struct err *e)
{
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    int r = sign_statement_parse(text, &s, e);
    if (r)
        return sign_check_fail(check, r, e);
    bool is_signature = strcmp(s.predicate_type, SIGN_PREDICATE_SIGN) == 0;
    const struct jval *about = sign_statement_subject(&s, &subject->digest);
    if (!is_signature)
        check->kind = SIGN_CHECK_ATTESTATION;
    if (!about)
        return sign_check_set(check, ERR_DIGEST, "%s of something else: no subject has this digest",
                              is_signature ? "a signature" : "an attestation");
    sign_check_cover(check, subject);
    return is_signature ? judge_signature(&s, about, trust, check) : judge_attestation(&s, text, check, e);
}

static void write_subject(struct jout *w, const struct sign_subject *subject,
                          const struct sign_pair *annotations, size_t n)
{
    char hex[DIGEST_STR_MAX];
    jout_object(w, NULL);
    if (subject->repo)
        jout_string(w, "name", subject->repo);
    jout_object(w, "digest");
    jout_string(w, hash_name(subject->digest.alg), digest_hex(&subject->digest, hex));
    jout_object_end(w);
    if (n) {
        jout_object(w, "annotations");
        for (size_t i = 0; i < n; i++)
            jout_string(w, annotations[i].key, annotations[i].value);
        jout_object_end(w);
    }
    jout_object_end(w);
}

int sign_statement_write(const char *type, struct bytes predicate, const struct sign_subject *subject,
                         const struct sign_pair *annotations, size_t n_annotations, struct buf *out,
                         struct err *e)
{
    AUTO(jdoc) doc = NULL;
    if (!predicate.len)
        predicate = BYTES_LIT("{}");
    int r = jdoc_parse(predicate, &doc, e);
    if (!r)
        r = sign_predicate_check(type, jdoc_root(doc), e);
    if (r)
        return r;
    struct jout w = {.out = out};
    jout_object(&w, NULL);
    jout_string(&w, "_type", SIGN_STATEMENT_V1);
    jout_array(&w, "subject");
    write_subject(&w, subject, annotations, n_annotations);
    jout_array_end(&w);
    jout_string(&w, "predicateType", type);
    jout_text(&w, "predicate", predicate);
    jout_object_end(&w);
    return buf_check(out, e);
}

/* The statement of an attestation, which somebody else may have written. */
static int check_order(const struct sign_order *order, struct sign_statement *parsed, struct err *e)
{
    char digest[DIGEST_STR_MAX];
    int r = sign_statement_parse(order->statement, parsed, e);
    if (r)
        return r;
    if (strcmp(parsed->predicate_type, SIGN_PREDICATE_SIGN) == 0)
        return err_set(e, ERR_USAGE, "an attestation of the type that says \"signed\"");
    if (!sign_statement_subject(parsed, &order->subject->digest))
        return err_set(e, ERR_DIGEST, "the statement is not about %s",
                       digest_str(&order->subject->digest, digest));
    return order->n_annotations
               ? err_set(e, ERR_USAGE, "annotations are for signatures, not for attestations")
               : 0;
}

int sign_statement_of_order(const struct sign_order *order, struct buf *written, struct bytes *ret_text,
                            struct sign_statement *parsed, struct err *e)
{
    struct sign_subject unnamed = *order->subject;
    if (order->expires_at)
        return err_set(e, ERR_UNSUPPORTED, "signatures of this format do not expire");
    int r = 0;
    unnamed.repo = NULL; /* a signature stays good in a mirror */
    if (order->statement.len) {
        r = check_order(order, parsed, e);
    } else {
        r = sign_statement_write(SIGN_PREDICATE_SIGN, BYTES_NONE, &unnamed, order->annotations,
                                 order->n_annotations, written, e);
        if (!r)
            r = sign_statement_parse(buf_bytes(written), parsed, e);
    }
    if (!r)
        *ret_text = order->statement.len ? order->statement : buf_bytes(written);
    return r;
}
