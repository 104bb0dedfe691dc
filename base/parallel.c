/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <stdbool.h>

/* More threads than this would wait for each other. */
#define THREADS_MAX 16U

struct work {
    pthread_mutex_t lock;
    size_t n, next;
    int (*job)(void *ctx, size_t i, struct err *e);
    void *ctx;
    struct err failure; /* of the job `failed` */
    size_t failed;
};

static bool take(struct work *w, size_t *ret)
{
    (void)pthread_mutex_lock(&w->lock);
    bool any = w->next < w->n && w->failure.code == 0;
    if (any)
        *ret = w->next++;
    (void)pthread_mutex_unlock(&w->lock);
    return any;
}

static void keep(struct work *w, size_t i, const struct err *e)
{
    (void)pthread_mutex_lock(&w->lock);
    if (w->failure.code == 0 || i < w->failed) {
        w->failure = *e;
        w->failed = i;
    }
    (void)pthread_mutex_unlock(&w->lock);
}

static void *drain(void *ctx)
{
    struct work *w = ctx;
    for (size_t i; take(w, &i);) {
        struct err e = ERR_INIT;
        int r = w->job(w->ctx, i, &e);
        if (r && !e.code) /* a failure that says nothing is one all the same */
            (void)err_set(&e, (enum err_code)r, "failed");
        if (r)
            keep(w, i, &e);
    }
    return NULL;
}

int parallel_run(size_t n, size_t width, int (*job)(void *ctx, size_t i, struct err *e), void *ctx,
                 struct err *e)
{
    struct work w = {.lock = PTHREAD_MUTEX_INITIALIZER, .n = n, .job = job, .ctx = ctx, .failure = ERR_INIT};
    pthread_t threads[THREADS_MAX];
    size_t started = 0, wanted = width < n ? width : n;
    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, drain, &w) == 0)
        started++;
    (void)drain(&w);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (w.failure.code)
        *e = w.failure;
    return w.failure.code;
}
