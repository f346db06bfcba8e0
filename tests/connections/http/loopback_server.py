"""A server on loopback that behaves as badly as a test wants: each connection gets one scripted handler."""

import contextlib
import datetime
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Loopback:
    """Accepts connections and hands each to `handler(self, sock)` in a thread of its own.

    `requests` is what came in, `accepted` how many connections; `pause()` is a short wait that ends with the
    test, for answers that drip.
    """

    def __init__(self, handler, context=None):
        self.handler, self.context = handler, context
        self.requests, self.accepted = [], 0
        self.stopping = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.open = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.open.append(sock)
            self.threads.append(threading.Thread(target=self._serve, args=[sock]))
            self.threads[-1].start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
                self.open.append(sock)
            with sock:
                self.handler(self, sock)

    def receive(self, sock):
        """One whole request; b"" when the client closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0"
        )
        while len(body) < int(length.partition(b":")[2]):
            body += sock.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def pause(self):
        return not self.stopping.wait(0.02)

    def close(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self.threads:
            thread.join(timeout=5)


def answering(answer, *, times=1000):
    """A handler that gives this answer to every request; after `times` of them a request gets none."""

    def handler(server, sock):
        for _ in range(times):
            if not server.receive(sock):
                return
            sock.sendall(answer)
        server.receive(sock)

    return handler


def breaking_off(answer):
    """A handler that ends the connection after this."""

    def handler(server, sock):
        server.receive(sock)
        sock.sendall(answer)

    return handler


def drip(head, piece):
    """A handler that sends `head` at once and then `piece` again and again, without an end."""

    def handler(server, sock):
        server.receive(sock)
        sock.sendall(head)
        while server.pause():
            sock.sendall(piece)

    return handler


def flood(head, piece):
    """The same as fast as the client reads."""

    def handler(server, sock):
        server.receive(sock)
        sock.sendall(head)
        while not server.stopping.is_set():
            sock.sendall(piece)

    return handler


class Authority:
    """A certificate authority of our own; `server_context` is a server with a certificate signed by it."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.path = folder / "authority.pem"
        certificate = self._certificate(self.name, self.key, days=1, authority=True)
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, host, *, days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._certificate(subject, key, days=days, host=host)
        path = self.folder / "server.pem"
        no_password = serialization.NoEncryption()
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(self, subject, key, *, days, authority=False, host=""):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=10))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())
