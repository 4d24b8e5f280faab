//! Only for its example, the module: a package must have a library or a binary.
