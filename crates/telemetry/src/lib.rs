//! The embedded store of metrics, logs and facts; it is synchronous and takes `now` as an argument.
