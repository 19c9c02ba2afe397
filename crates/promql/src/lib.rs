//! PromQL, evaluated over any source of series; it knows no store and no clock.
