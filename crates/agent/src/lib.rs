//! What runs beside the web server: discovery, signals, logs and checks.
