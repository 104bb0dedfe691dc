// SPDX-License-Identifier: Apache-2.0
//! The program of guest.c in Rust.
use std::fs::File;
use std::io::{stdin, BufRead, BufReader, Read};
use std::process::exit;

fn first_line(from: impl Read) -> String {
    BufReader::new(from).lines().next().and_then(Result::ok).unwrap_or_default()
}

fn main() {
    let list = File::open("/data/list").unwrap_or_else(|_| {
        println!("no file");
        exit(9)
    });
    for arg in std::env::args().skip(1) {
        println!("arg {}", arg);
    }
    println!("env {}", std::env::var("CUP").unwrap_or_default());
    println!("file {}", first_line(list));
    println!("input {}", first_line(stdin()));
    if std::fs::write("/data/out", "written\n").is_err() {
        exit(1);
    }
    exit(7);
}
