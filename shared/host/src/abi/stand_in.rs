//! What takes the place of the host functions in native builds.
//!
//! In tests that have one, the in-memory host of the current thread answers ([`crate::testing`]). Otherwise
//! (in the command line, for example) every call fails with [`Status::Unimplemented`].

use super::{Buffer, HeaderMap, LogLevel, MetricKind, StreamKind};
use crate::status::Status;

/// Defines the functions.
macro_rules! stand_in {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $output:ty;)*) => {
        $(
            #[cfg(any(test, feature = "testing"))]
            pub(crate) fn $name($($argument: $type),*) -> Result<$output, Status> {
                crate::testing::with_state(|state| state.$name($($argument),*))
            }

            #[cfg(not(any(test, feature = "testing")))]
            pub(crate) fn $name($(_: $type),*) -> Result<$output, Status> {
                Err(Status::Unimplemented)
            }
        )*
    };
}

stand_in! {
    fn log(level: LogLevel, message: &str) -> ();
    fn log_level() -> u32;
    fn monotonic() -> u64;
    fn wall() -> u64;
    fn buffer(buffer: Buffer, start: usize, max_size: usize) -> Vec<u8>;
    fn set_buffer(buffer: Buffer, start: usize, length: usize, data: &[u8]) -> ();
    fn map(map: HeaderMap) -> Vec<u8>;
    fn map_value(map: HeaderMap, name: &[u8]) -> Vec<u8>;
    fn add_map_value(map: HeaderMap, name: &[u8], value: &[u8]) -> ();
    fn replace_map_value(map: HeaderMap, name: &[u8], value: &[u8]) -> ();
    fn remove_map_value(map: HeaderMap, name: &[u8]) -> ();
    fn send_local_response(
        status: u16, details: &[u8], body: &[u8], headers: &[u8], grpc_status: i32,
    ) -> ();
    fn continue_stream(stream: StreamKind) -> ();
    fn close_stream(stream: StreamKind) -> ();
    fn set_effective_context(context: u32) -> ();
    fn set_tick_period(milliseconds: u32) -> ();
    fn property(path: &[u8]) -> Vec<u8>;
    fn set_property(path: &[u8], value: &[u8]) -> ();
    fn shared_data(key: &[u8]) -> (Vec<u8>, u32);
    fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> ();
    fn define_metric(kind: MetricKind, name: &[u8]) -> u32;
    fn increment_metric(id: u32, offset: i64) -> ();
    fn record_metric(id: u32, value: u64) -> ();
    fn metric(id: u32) -> u64;
    fn http_call(cluster: &[u8], headers: &[u8], body: &[u8], timeout_milliseconds: u32) -> u32;
    fn grpc_call(
        cluster: &[u8], service: &[u8], method: &[u8], message: &[u8], timeout_milliseconds: u32,
    ) -> u32;
    fn call_foreign_function(name: &[u8], argument: &[u8]) -> Vec<u8>;
}

/// Fills `bytes` from the operating system's random generator, if there is no in-memory host.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Status> {
    #[cfg(any(test, feature = "testing"))]
    match crate::testing::with_state(|state| state.random(bytes)) {
        Err(Status::Unimplemented) => {}
        answer => return answer,
    }
    getrandom::fill(bytes).map_err(|_| Status::InternalFailure)
}
