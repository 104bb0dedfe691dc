// SPDX-License-Identifier: Apache-2.0
//! One static library: the C API of wasmtime, TOML turned into JSON (`include/waybill_toml.h`), what a C program must do at
//! its end for Rust's standard output (`include/waybill_stdio.h`) and a setting that the C API lacks (`include/waybill_wasi.h`).

#[doc(hidden)]
pub use wasmtime_c_api::*;

use serde_json::{Map, Number, Value};
use std::ffi::{c_char, c_int};
use std::io::Write;
use std::ops::Range;
use toml::de::{DeTable, DeValue};
use toml::Spanned;
use wasmtime_wasi::WasiCtxBuilder;

const MESSAGE_LEN: usize = 256;

/// `struct waybill_toml_error`.
#[repr(C)]
pub struct TomlError {
    line: u32,
    column: u32,
    message: [c_char; MESSAGE_LEN],
}

struct Failure {
    at: usize,
    message: String,
}

/// # Safety
/// As the header says: `text` has `len` readable bytes, the other pointers are valid for writing.
#[no_mangle]
pub unsafe extern "C" fn waybill_toml_to_json(
    text: *const c_char,
    len: usize,
    ret_json: *mut *mut c_char,
    ret_len: *mut usize,
    error: *mut TomlError,
) -> c_int {
    let text = match len {
        0 => &[],
        _ => std::slice::from_raw_parts(text.cast::<u8>(), len),
    };
    match convert(text) {
        Ok(json) => {
            *ret_len = json.len();
            let mut owned = json.into_bytes();
            owned.push(0);
            *ret_json = Box::into_raw(owned.into_boxed_slice()).cast();
            0
        }
        Err(failure) => {
            failure.store(text, &mut *error);
            -1
        }
    }
}

/// # Safety
/// `json` and `len` come from one successful `waybill_toml_to_json`, or `json` is null.
#[no_mangle]
pub unsafe extern "C" fn waybill_toml_free(json: *mut c_char, len: usize) {
    if !json.is_null() {
        let whole = std::ptr::slice_from_raw_parts_mut(json.cast::<u8>(), len + 1);
        drop(Box::from_raw(whole));
    }
}

/// `waybill_stdio_flush`.
#[no_mangle]
pub extern "C" fn waybill_stdio_flush() -> c_int {
    match std::io::stdout().flush() {
        Ok(()) => 0,
        Err(_) => -1,
    }
}

// The builder is the only field of the C API's struct, whose layout is that of C, and it is private.
const _: () = assert!(size_of::<wasi_config_t>() == size_of::<WasiCtxBuilder>());

/// # Safety
/// `config` comes from `wasi_config_new` and nobody else uses it meanwhile.
#[no_mangle]
pub unsafe extern "C" fn waybill_wasi_on_own_thread(config: *mut wasi_config_t) {
    (*config.cast::<WasiCtxBuilder>()).allow_blocking_current_thread(true);
}

fn convert(text: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(text).map_err(|e| Failure {
        at: e.valid_up_to(),
        message: "not UTF-8".into(),
    })?;
    let table = DeTable::parse(text).map_err(|e| Failure {
        at: e.span().map_or(0, |span| span.start),
        message: e.message().into(),
    })?;
    Ok(table_to_json(table.get_ref())?.to_string())
}

fn table_to_json(table: &DeTable) -> Result<Value, Failure> {
    let mut map = Map::with_capacity(table.len());
    for (key, value) in table.iter() {
        map.insert(key.get_ref().to_string(), value_to_json(value)?);
    }
    Ok(Value::Object(map))
}

fn value_to_json(value: &Spanned<DeValue>) -> Result<Value, Failure> {
    let span = value.span();
    Ok(match value.get_ref() {
        DeValue::String(s) => Value::String(s.to_string()),
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix())
            .map(Value::from)
            .map_err(|_| refuse(&span, "the integer does not fit in 64 bits"))?,
        DeValue::Float(f) => {
            float_to_json(f.as_str()).ok_or_else(|| refuse(&span, "not a finite number"))?
        }
        DeValue::Boolean(b) => Value::Bool(*b),
        DeValue::Datetime(d) => Value::String(d.to_string()),
        DeValue::Array(a) => Value::Array(a.iter().map(value_to_json).collect::<Result<_, _>>()?),
        DeValue::Table(t) => table_to_json(t)?,
    })
}

fn float_to_json(text: &str) -> Option<Value> {
    Number::from_f64(text.parse().ok()?).map(Value::Number)
}

fn refuse(span: &Range<usize>, message: &str) -> Failure {
    Failure {
        at: span.start,
        message: message.into(),
    }
}

impl Failure {
    fn store(&self, text: &[u8], error: &mut TomlError) {
        let before = &text[..self.at.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |i| i + 1);
        let characters = String::from_utf8_lossy(&before[line_start..])
            .chars()
            .count();
        error.line = count(before.iter().filter(|&&b| b == b'\n').count());
        error.column = count(characters);
        error.message = [0; MESSAGE_LEN];
        let one_line = self.message.replace(['\n', '\r'], " ");
        for (to, from) in error.message[..MESSAGE_LEN - 1]
            .iter_mut()
            .zip(printable(&one_line))
        {
            *to = from as c_char;
        }
    }
}

fn count(zero_based: usize) -> u32 {
    u32::try_from(zero_based).unwrap_or(u32::MAX - 1) + 1
}

/// Messages quote what the file says: only printable ASCII of it is passed on.
fn printable(message: &str) -> impl Iterator<Item = u8> + '_ {
    message.chars().map(|c| {
        if c.is_ascii() && !c.is_ascii_control() {
            c as u8
        } else {
            b'?'
        }
    })
}
