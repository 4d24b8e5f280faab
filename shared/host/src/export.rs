//! A module's entry points.

/// Makes a module of a chain: the exports that Proxy-Wasm ABI 0.2.1 wants, and the note by which
/// the build removes those that the chain has no use for. Expands to nothing on a native target.
///
/// It stands alone in a target of its own (`[[example]]` with `crate-type = ["cdylib"]`): a library
/// that several modules link must not carry entry points.
#[macro_export]
macro_rules! export {
    ($chain:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static DISPATCHER: $crate::Dispatcher<$chain> = ::std::default::Default::default();
            }

            #[used]
            #[unsafe(link_section = "mesh_filters.callbacks")]
            static CALLBACKS: [u8; 4] = <$chain as $crate::Stages>::CALLBACKS.to_bytes();

            #[unsafe(no_mangle)]
            extern "C" fn _initialize() {
                $crate::abi::initialize();
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_abi_version_0_2_1() {}

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
                $crate::abi::allocate(size)
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_context_create(id: u32, parent: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_context_create(id, parent));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_vm_start(_id: u32, _size: usize) -> u32 {
                1
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_configure(id: u32, size: usize) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_configure(id, size)).into()
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_headers(id: u32, _count: u32, last: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_headers(id, last != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_body(id: u32, size: usize, last: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_body(id, size, last != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_trailers(id: u32, _count: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_trailers(id))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_response_headers(id: u32, _count: u32, _last: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_response_headers(id))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_response_body(id: u32, size: usize, last: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_response_body(id, size, last != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_response_trailers(id: u32, _count: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_response_trailers(id))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_tick(id: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_tick(id));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_http_call_response(
                id: u32,
                call: u32,
                _headers: u32,
                body_size: usize,
                _trailers: u32,
            ) {
                DISPATCHER.with(|dispatcher| dispatcher.on_http_call(id, call, body_size));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_grpc_receive(id: u32, call: u32, size: usize) {
                DISPATCHER.with(|dispatcher| dispatcher.on_grpc_receive(id, call, size));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_grpc_close(id: u32, call: u32, status: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_grpc_close(id, call, status));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_delete(id: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_delete(id));
            }
        };
    };
}
