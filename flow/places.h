/* SPDX-License-Identifier: Apache-2.0 */
/* Private to flow: the places where signatures and attestations of a reference may be, and the order in which
 * they are asked. */
#ifndef WAYBILL_FLOW_PLACES_H
#define WAYBILL_FLOW_PLACES_H

#include "flow/demand.h"

enum flow_place {
    FLOW_PLACE_SIG = 1, /* cosign's tag sha256-<hex>.sig */
    FLOW_PLACE_REFERRERS = 2,
    FLOW_PLACE_ATT = 4,    /* likewise .att: of attestations alone */
    FLOW_PLACE_MODULE = 8, /* the module itself */
};

#define FLOW_PLACES_ROUNDS 3

/* flow_places_order - ret[0]: the places that are asked at once (bits), and in any case; each of the next is
 * asked only while what is demanded was not found, so that it cannot be missed for the order. A place that
 * can hold nothing that counts is in none. spare_module: the module itself is not wanted; brief: what was not
 * needed for the verdict is not wanted either. */
void flow_places_order(const struct flow_measure *m, bool spare_module, bool brief,
                       unsigned ret[FLOW_PLACES_ROUNDS]);

/* flow_places_attested - whether attestations are demanded. */
bool flow_places_attested(const struct flow_measure *m);

#endif
