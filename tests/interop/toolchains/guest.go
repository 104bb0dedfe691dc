// SPDX-License-Identifier: Apache-2.0

// The program of guest.c in Go.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func firstLine(f *os.File) string {
	lines := bufio.NewScanner(f)
	lines.Scan()
	return lines.Text()
}

func main() {
	list, err := os.Open("/data/list")
	if err != nil {
		fmt.Println("no file")
		os.Exit(9)
	}
	for _, arg := range os.Args[1:] {
		fmt.Println("arg", arg)
	}
	fmt.Println("env", os.Getenv("CUP"))
	fmt.Println("file", firstLine(list))
	fmt.Println("input", firstLine(os.Stdin))
	if os.WriteFile("/data/out", []byte("written\n"), 0o644) != nil {
		os.Exit(1)
	}
	os.Exit(7)
}
