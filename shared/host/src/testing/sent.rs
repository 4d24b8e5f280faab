//! What a module has sent.

/// A reply that a module has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// Response code details.
    pub details: String,
    /// Headers that the module has given.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// gRPC status, -1 for none.
    pub grpc_status: i32,
}

/// A call that a module has sent and that was not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCall {
    /// Id of the call.
    pub id: u32,
    /// Cluster that is called.
    pub cluster: String,
    /// `:path`, or `/service/method` of a gRPC call.
    pub path: String,
    /// Body or message.
    pub body: Vec<u8>,
}
