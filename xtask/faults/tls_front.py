"""HTTPS before the sink that takes pages: a port of its own for each file with a certificate and its key, which is read anew for every
connection, so that it can be replaced. Ends with its input. It does not know which certificates are good.

    tls_front.py SINK_PORT FILE...

Prints the ports in the order of the files, in one line."""

import http.client
import http.server
import ssl
import sys
import threading


class Front(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, file, sink_port):
        super().__init__(("127.0.0.1", 0), Forwarding)
        self.file = file
        self.sink_port = sink_port

    def finish_request(self, request, client_address):
        # A context of its own: a session of the certificate before is not gone on with.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        with context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def handle_error(self, request, client_address):
        """Whoever refuses the certificate says why on their side."""


class Forwarding(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sink = http.client.HTTPConnection("127.0.0.1", self.server.sink_port)
        sink.request("POST", self.path, body)
        self.send_response(sink.getresponse().status)
        sink.close()
        self.send_header("Content-Length", "0")
        # Kept, it would bring what comes later past the next certificate.
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format, *arguments):
        """What came is the sink's to tell."""


def main():
    sink_port, files = int(sys.argv[1]), sys.argv[2:]
    fronts = [Front(file, sink_port) for file in files]
    for front in fronts:
        threading.Thread(target=front.serve_forever, daemon=True).start()
    print(*(front.server_port for front in fronts), flush=True)
    sys.stdin.read()


main()
