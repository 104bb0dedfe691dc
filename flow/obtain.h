/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of the data as code: TARGET → pinned, fetched, checked bytes. A tag is resolved once, all else goes
 * by digest, and what was verified is what is handed on: one open descriptor or one buffer.
 */
#ifndef WAYBILL_FLOW_OBTAIN_H
#define WAYBILL_FLOW_OBTAIN_H

#include "base/io.h"
#include "flow/demand.h"
#include "oci/endpoint.h"
#include "oci/kind.h"
#include "oci/store.h"
#include "sign/format.h"

struct flow_conf {
    struct oci_endpoint_conf endpoint;
    const char *store_dir;     /* NULL: no store; everything is fetched each time */
    const char *temp_dir;      /* for files without a name where there is no store; NULL: /tmp */
    struct progress *progress; /* or NULL */
    const char *platform;      /* of an index, see oci_index_choose; or NULL */
    struct oci_choice choice;  /* where an artifact has several modules */
    const char *format;        /* what push makes, see oci_kind_to_write; NULL: "cncf" */
    const char *created;       /* the time that push writes down, see struct oci_module; or NULL */
};

/* How long the parts of obtaining took, one after the other, and what came over the network. */
struct flow_times {
    uint64_t resolve_ns; /* from the reference to the manifest of the module */
    uint64_t fetch_ns;   /* until the module's bytes were there, from a store, a file or a server */
    uint64_t verify_ns;  /* the rest: digests, looking for signatures and checking them, the verdict */
    uint64_t fetched;    /* bytes of manifests and blobs that came from a place other than the store */
};

/* An artifact that was obtained. */
struct flow_artifact {
    bool from_file;             /* TARGET was a file (or "-"): no manifest */
    char *name;                 /* canonical: the path, or "host/repo:tag" as given */
    char *repo;                 /* references: without tag and digest; else NULL */
    struct oci_pinned manifest; /* references */
    struct oci_manifest parsed; /* references */
    char *config; /* references: the text of the config blob, or NULL when it was not asked for */
    size_t config_len;
    struct digest layer;           /* references: of the layer that is the module, or holds it */
    char *member;                  /* its name in that layer, which is a tar; else NULL */
    struct digest digest;          /* of the module's bytes; set when they have been read, or need not be */
    uint64_t size;                 /* of the module in bytes */
    struct digest named;           /* references: of the manifest, or the index, that was named */
    bool judged;                   /* there is a verdict, good or bad */
    bool verified;                 /* what was demanded was found: never true where nothing was demanded */
    struct sign_report report;     /* what was found, and the verdict */
    struct sign_decision decision; /* with a policy: borrows from it */
    struct flow_times times;
    /* Private: where the bytes are. */
    bool to_run; /* FLOW_TO_RUN was wanted, and nothing stands against it */
    struct buf bytes;
    int fd;
    bool fresh; /* fd was written and checked by this very call */
};

/* A reading of an artifact's module from its start: over the bytes, or over the descriptor, that were
 * checked. */
struct flow_reading {
    struct source_bytes bytes;
    struct source_file file;
};
struct source *flow_artifact_read(const struct flow_artifact *a, struct flow_reading *r);

enum flow_want {
    FLOW_WANT_BYTES = 1,    /* the module in memory: flow_artifact.bytes (at most LIMIT_MODULE) */
    FLOW_WANT_CONFIG = 2,   /* the config blob too */
    FLOW_WANT_MANIFEST = 4, /* nothing but the manifest; of an index itself, unless a platform is named */
    FLOW_TO_RUN =
        8, /* it will be executed: a reference needs trust, or else is ERR_REFUSED before any request */
    FLOW_UNSIGNED = 16, /* with FLOW_TO_RUN: the operator takes a reference that nothing is demanded of */
    FLOW_VERDICT =
        32,          /* nothing but the verdict: the module is got only where that can depend on its bytes */
    FLOW_BRIEF = 64, /* with FLOW_VERDICT: signatures are looked for until there are enough, and not reported
                        beyond */
};

/* flow_obtain - the one way to an artifact, for all who verify, write or run one. What verifying needs is at
 * hand before anything is asked for, a reference is resolved once, its module and all signatures beside it
 * (flow/verify.h) are got by digest, and nothing is handed on before the verdict. demand: NULL: nothing is
 * verified but digests. A demand that is not met is an error with the verdict's code and reason, and
 * ret->report (set also then) says the rest. ret: flow_artifact_done by the caller, whatever is returned.
 * target: a file or a reference, see oci_ref_is_path. */
MUST_CHECK int flow_obtain(const struct flow_conf *conf, const char *target, unsigned want,
                           const struct flow_demand *demand, struct flow_artifact *ret, struct err *e);
void flow_artifact_done(struct flow_artifact *a);

/* flow_artifact_drop - gives up the bytes, of the module and its manifest, and keeps what is known of them.
 */
void flow_artifact_drop(struct flow_artifact *a);

/* flow_pull - obtains a reference and writes the module to a file, which appears only if everything was
 * right. path "-": standard output (opened as fd 1), after the same checks. */
MUST_CHECK int flow_pull(const struct flow_conf *conf, const char *reference, const char *path,
                         const struct flow_demand *demand, struct flow_artifact *ret, struct err *e);

#endif
