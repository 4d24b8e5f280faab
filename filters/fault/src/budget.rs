//! Bounds the share of faulted requests.
