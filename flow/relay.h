/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob of one endpoint as something that another one can push: read from its start as often as the push
 * wants, in constant memory, and never handed on to its end unless size and digest are right.
 */
#ifndef WAYBILL_FLOW_RELAY_H
#define WAYBILL_FLOW_RELAY_H

#include "oci/endpoint.h"

/* flow_relay_open - desc: of a blob at `from`; both outlive the relay. *ret_opener: for one reading at a
 * time. Nothing is fetched before it is read: a small blob once, another by a thread for each reading.
 * Released with flow_relay_close (takes NULL). */
struct flow_relay;
MUST_CHECK int flow_relay_open(struct oci_endpoint *from, const struct oci_desc *desc,
                               struct flow_relay **ret, struct source_opener *ret_opener, struct err *e);
void flow_relay_close(struct flow_relay *r);
DEFINE_AUTO(flow_relay, flow_relay_close);

#endif
