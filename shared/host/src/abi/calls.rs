//! The host functions, as a module imports them. The only file with `unsafe`.
//!
//! Each is wrapped: bytes go in, a [`Result`] comes out, and memory that the host filled is owned by the
//! caller.
//!
//! Only functions of ABI 0.2.1 are imported: a host refuses to load a module that imports a function it
//! lacks. Foreign functions are looked up by name at run time, and a missing one is a status.
#![allow(unsafe_code, reason = "host calls pass pointers")]

use super::{Buffer, HeaderMap, LogLevel, MetricKind, StreamKind};
use crate::status::Status;
use std::alloc::Layout;
use std::ptr::null_mut;

/// Declares host functions; each returns a status code.
macro_rules! import {
    ($module:literal: $(fn $name:ident($($argument:ident: $type:ty),* $(,)?);)*) => {
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $(fn $name($($argument: $type),*) -> u32;)*
        }
    };
}

import! { "env":
    fn proxy_log(level: u32, message: *const u8, size: usize);
    fn proxy_get_log_level(level: *mut u32);
    fn proxy_get_buffer_bytes(kind: u32, start: usize, max_size: usize, data: *mut *mut u8, size: *mut usize);
    fn proxy_set_buffer_bytes(kind: u32, start: usize, length: usize, data: *const u8, size: usize);
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize);
    fn proxy_get_header_map_value(
        map: u32, name: *const u8, name_size: usize, data: *mut *mut u8, size: *mut usize,
    );
    fn proxy_add_header_map_value(
        map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize,
    );
    fn proxy_replace_header_map_value(
        map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize,
    );
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize);
    fn proxy_send_local_response(
        status: u32, details: *const u8, details_size: usize, body: *const u8, body_size: usize,
        headers: *const u8, headers_size: usize, grpc_status: i32,
    );
    fn proxy_continue_stream(stream: u32);
    fn proxy_close_stream(stream: u32);
    fn proxy_set_effective_context(context: u32);
    fn proxy_set_tick_period_milliseconds(period: u32);
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize);
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize);
    fn proxy_get_shared_data(
        key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize, cas: *mut u32,
    );
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32);
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32);
    fn proxy_increment_metric(id: u32, offset: i64);
    fn proxy_record_metric(id: u32, value: u64);
    fn proxy_get_metric(id: u32, value: *mut u64);
    fn proxy_http_call(
        cluster: *const u8, cluster_size: usize, headers: *const u8, headers_size: usize,
        body: *const u8, body_size: usize, trailers: *const u8, trailers_size: usize,
        timeout: u32, call: *mut u32,
    );
    fn proxy_grpc_call(
        cluster: *const u8, cluster_size: usize, service: *const u8, service_size: usize,
        method: *const u8, method_size: usize, metadata: *const u8, metadata_size: usize,
        message: *const u8, message_size: usize, timeout: u32, call: *mut u32,
    );
    fn proxy_call_foreign_function(
        name: *const u8, name_size: usize, argument: *const u8, argument_size: usize,
        data: *mut *mut u8, size: *mut usize,
    );
}

import! { "wasi_snapshot_preview1":
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64);
}

/// Memory that the host requested through [`allocate`] and filled.
struct Filled {
    data: *mut u8,
    size: usize,
}

impl Filled {
    const fn nothing() -> Self {
        Self { data: null_mut(), size: 0 }
    }

    /// Takes ownership of the memory if the call succeeded. A host that returns no bytes allocates none.
    fn take(self, code: u32) -> Result<Vec<u8>, Status> {
        let bytes = if self.data.is_null() || self.size == 0 {
            Vec::new()
        } else {
            // SAFETY: the host got `data` from `allocate`, which allocates `SPARE` more than this size with
            // alignment 1 from the global allocator, so the sum does not overflow, and this call transfers the
            // ownership.
            unsafe { Vec::from_raw_parts(self.data, self.size, self.size + SPARE) }
        };
        Status::check(code).map(|()| bytes)
    }
}

/// Memory behind what the host fills, so that a header can be added to a map without another allocation.
const SPARE: usize = 64;

/// Allocates memory for the host to fill. Null if there is none, which the host treats as a failure.
pub fn allocate(size: usize) -> *mut u8 {
    let layout = size.checked_add(SPARE).and_then(|size| Layout::from_size_align(size, 1).ok());
    match layout {
        // SAFETY: the layout's size is not zero.
        Some(layout) if size != 0 => unsafe { std::alloc::alloc(layout) },
        _ => null_mut(),
    }
}

pub(crate) fn log(level: LogLevel, message: &str) -> Result<(), Status> {
    Status::check(unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) })
}

pub(crate) fn log_level() -> Result<u32, Status> {
    let mut level = 0;
    Status::check(unsafe { proxy_get_log_level(&raw mut level) }).map(|()| level)
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn monotonic() -> Result<u64, Status> {
    time_of(CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970.
pub(crate) fn wall() -> Result<u64, Status> {
    time_of(CLOCK_REALTIME)
}

const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;

fn time_of(clock: u32) -> Result<u64, Status> {
    let mut time = 0;
    // WASI has its own error codes; zero is success.
    match unsafe { clock_time_get(clock, 1, &raw mut time) } {
        0 => Ok(time),
        _ => Err(Status::InternalFailure),
    }
}

/// Fills `bytes` from the host's cryptographic random generator.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Status> {
    getrandom::fill(bytes).map_err(|_| Status::InternalFailure)
}

pub(crate) fn buffer(buffer: Buffer, start: usize, max_size: usize) -> Result<Vec<u8>, Status> {
    let mut filled = Filled::nothing();
    let code = unsafe {
        proxy_get_buffer_bytes(buffer as u32, start, max_size, &raw mut filled.data, &raw mut filled.size)
    };
    filled.take(code)
}

pub(crate) fn set_buffer(buffer: Buffer, start: usize, length: usize, data: &[u8]) -> Result<(), Status> {
    Status::check(unsafe { proxy_set_buffer_bytes(buffer as u32, start, length, data.as_ptr(), data.len()) })
}

pub(crate) fn map(map: HeaderMap) -> Result<Vec<u8>, Status> {
    let mut filled = Filled::nothing();
    let code = unsafe { proxy_get_header_map_pairs(map as u32, &raw mut filled.data, &raw mut filled.size) };
    filled.take(code)
}

pub(crate) fn map_value(map: HeaderMap, name: &[u8]) -> Result<Vec<u8>, Status> {
    let mut filled = Filled::nothing();
    let code = unsafe {
        proxy_get_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            &raw mut filled.data,
            &raw mut filled.size,
        )
    };
    filled.take(code)
}

pub(crate) fn add_map_value(map: HeaderMap, name: &[u8], value: &[u8]) -> Result<(), Status> {
    Status::check(unsafe {
        proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Replaces the **first** value of a header and keeps the others, as Envoy implements it.
pub(crate) fn replace_map_value(map: HeaderMap, name: &[u8], value: &[u8]) -> Result<(), Status> {
    Status::check(unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(crate) fn remove_map_value(map: HeaderMap, name: &[u8]) -> Result<(), Status> {
    Status::check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

pub(crate) fn send_local_response(
    status: u16,
    details: &[u8],
    body: &[u8],
    headers: &[u8],
    grpc_status: i32,
) -> Result<(), Status> {
    Status::check(unsafe {
        proxy_send_local_response(
            status.into(),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

pub(crate) fn continue_stream(stream: StreamKind) -> Result<(), Status> {
    Status::check(unsafe { proxy_continue_stream(stream as u32) })
}

pub(crate) fn close_stream(stream: StreamKind) -> Result<(), Status> {
    Status::check(unsafe { proxy_close_stream(stream as u32) })
}

pub(crate) fn set_effective_context(context: u32) -> Result<(), Status> {
    Status::check(unsafe { proxy_set_effective_context(context) })
}

pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), Status> {
    Status::check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

pub(crate) fn property(path: &[u8]) -> Result<Vec<u8>, Status> {
    let mut filled = Filled::nothing();
    let code =
        unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut filled.data, &raw mut filled.size) };
    filled.take(code)
}

pub(crate) fn set_property(path: &[u8], value: &[u8]) -> Result<(), Status> {
    Status::check(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

pub(crate) fn shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
    let (mut filled, mut cas) = (Filled::nothing(), 0);
    let code = unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut filled.data,
            &raw mut filled.size,
            &raw mut cas,
        )
    };
    filled.take(code).map(|bytes| (bytes, cas))
}

pub(crate) fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
    Status::check(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
}

pub(crate) fn define_metric(kind: MetricKind, name: &[u8]) -> Result<u32, Status> {
    let mut id = 0;
    Status::check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })
        .map(|()| id)
}

pub(crate) fn increment_metric(id: u32, offset: i64) -> Result<(), Status> {
    Status::check(unsafe { proxy_increment_metric(id, offset) })
}

pub(crate) fn record_metric(id: u32, value: u64) -> Result<(), Status> {
    Status::check(unsafe { proxy_record_metric(id, value) })
}

pub(crate) fn metric(id: u32) -> Result<u64, Status> {
    let mut value = 0;
    Status::check(unsafe { proxy_get_metric(id, &raw mut value) }).map(|()| value)
}

pub(crate) fn http_call(
    cluster: &[u8],
    headers: &[u8],
    body: &[u8],
    timeout_milliseconds: u32,
) -> Result<u32, Status> {
    let mut call = 0;
    let no_trailers: &[u8] = &[0; 4];
    Status::check(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            no_trailers.as_ptr(),
            no_trailers.len(),
            timeout_milliseconds,
            &raw mut call,
        )
    })
    .map(|()| call)
}

pub(crate) fn grpc_call(
    cluster: &[u8],
    service: &[u8],
    method: &[u8],
    message: &[u8],
    timeout_milliseconds: u32,
) -> Result<u32, Status> {
    let mut call = 0;
    let no_metadata: &[u8] = &[0; 4];
    Status::check(unsafe {
        proxy_grpc_call(
            cluster.as_ptr(),
            cluster.len(),
            service.as_ptr(),
            service.len(),
            method.as_ptr(),
            method.len(),
            no_metadata.as_ptr(),
            no_metadata.len(),
            message.as_ptr(),
            message.len(),
            timeout_milliseconds,
            &raw mut call,
        )
    })
    .map(|()| call)
}

pub(crate) fn call_foreign_function(name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
    let mut filled = Filled::nothing();
    let code = unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &raw mut filled.data,
            &raw mut filled.size,
        )
    };
    filled.take(code)
}

/// Runs the constructors of the module's statics. If a module does not call them itself, the linker wraps
/// every export in a call to them.
pub fn initialize() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker defines it; the host calls `_initialize` once, before any other export.
    unsafe { __wasm_call_ctors() }
}
