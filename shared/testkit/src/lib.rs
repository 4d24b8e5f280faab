//! What the tests of every filter share. Only for tests: it panics, since that is how a test fails.
