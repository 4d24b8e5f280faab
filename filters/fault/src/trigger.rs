//! A fault that a request asks for.
