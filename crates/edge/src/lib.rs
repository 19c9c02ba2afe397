//! The server's sockets: HTTP API, foreign fronts, live stream and delivery channels.
