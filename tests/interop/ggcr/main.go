// SPDX-License-Identifier: Apache-2.0

// A registry with the referrers API for tests: go-containerregistry's, on a free port of the loopback interface.
// Usage: ggcr-registry PORT-FILE FOLDER; it ends by itself after an hour.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ggcr-registry PORT-FILE FOLDER")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	port := fmt.Sprintln(listener.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(os.Args[1]+".tmp", []byte(port), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(os.Args[1]+".tmp", os.Args[1]); err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(time.Hour, func() { os.Exit(0) })
	log.Fatal(http.Serve(listener, registry.New(registry.WithReferrersSupport(true),
		registry.WithBlobHandler(registry.NewDiskBlobHandler(os.Args[2])),
		registry.Logger(log.New(io.Discard, "", 0)))))
}
