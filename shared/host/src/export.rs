//! The entry points of a module.

/// Defines the exports that Proxy-Wasm ABI 0.2.1 requires, for chains of the filter type `$filter`, and the
/// custom section by which the build removes unused exports. Expands to nothing on a native target.
///
/// It belongs in a target of its own (`[[example]]` with `crate-type = ["cdylib"]`): a library that several
/// modules link must not define entry points.
#[macro_export]
macro_rules! export {
    ($filter:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static DISPATCHER: $crate::Dispatcher<$filter> = ::std::default::Default::default();
            }

            #[used]
            #[unsafe(link_section = "mesh_filters.callbacks")]
            static CALLBACKS: [u8; 4] = <$filter as $crate::Filter>::CALLBACKS.to_bytes();

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
            extern "C" fn proxy_on_request_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_headers(id, end_of_stream != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_body(id, size, end_of_stream != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_trailers(id: u32, _count: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_request_trailers(id))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_response_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_response_headers(id, end_of_stream != 0))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_response_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
                DISPATCHER.with(|dispatcher| dispatcher.on_response_body(id, size, end_of_stream != 0))
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
                call_id: u32,
                _headers: u32,
                body_size: usize,
                _trailers: u32,
            ) {
                DISPATCHER.with(|dispatcher| dispatcher.on_http_call_response(id, call_id, body_size));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_grpc_receive(id: u32, call_id: u32, size: usize) {
                DISPATCHER.with(|dispatcher| dispatcher.on_grpc_receive(id, call_id, size));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_grpc_close(id: u32, call_id: u32, status: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_grpc_close(id, call_id, status));
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_delete(id: u32) {
                DISPATCHER.with(|dispatcher| dispatcher.on_delete(id));
            }
        };
    };
}
