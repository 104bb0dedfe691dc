// SPDX-License-Identifier: Apache-2.0

module waybill/tests/interop/ggcr

go 1.25.0

require github.com/google/go-containerregistry v0.22.1
