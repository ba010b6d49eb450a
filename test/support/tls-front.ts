import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { runProgram } from "../../scripts/programs.ts";

/** A TLS proxy for a local server, with the name `localhost` and its own certificate. */
export async function startTlsFront(target: number) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-tls-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const openssl = await ensureDebianPackage("openssl", "openssl", () => {});
  await runProgram(openssl, [
    ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"],
    ...["-keyout", key, "-out", certificate],
  ]);
  let received = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
  server.on("secureConnection", (near) => {
    const far = connect(target, "127.0.0.1");
    near.on("data", (octets) => {
      received += octets.length;
    });
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    /** The path of the certificate, which clients must trust. */
    certificate,
    /** The path of its private key. */
    key,
    /** How many octets were read from clients. */
    received: () => received,
    async stop() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true });
    },
  };
}
