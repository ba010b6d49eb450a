import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newWebhookSecret, webhookSender } from "../../providers/webhook/webhook.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "second-step-webhook-"));
const certificate = join(folder, "cert.pem");
const secret = newWebhookSecret();

let server: Server;
let url: string;
let received = 0;
beforeAll(async () => {
  const key = join(folder, "key.pem");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate];
  await run("openssl", ["req", "-x509", ...subject, ...made]);
  server = createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (request, response) => {
      received += 1;
      response.writeHead(204, { "x-path": request.url }).end();
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `https://localhost:${(server.address() as AddressInfo).port}/hooks`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const message = () => ({ url, secret, id: "evt_1", at: new Date(0), body: "{}" });

test("a receiver with an untrusted certificate gets nothing", async () => {
  const sender = webhookSender({ inside: true, timeoutMs: 5000 });
  expect(await sender.send(message())).toBe("untrusted_certificate");
  expect(received).toBe(0);
});

test("attack: a typed internal address gets no connection", async () => {
  const sender = webhookSender({ inside: false, timeoutMs: 5000 });
  const { port } = new URL(url);
  for (const host of ["127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
    expect(await sender.send({ ...message(), url: `https://${host}:${port}/` })).toBe(
      "blocked_address",
    );
  expect(received).toBe(0);
});

test("an event goes over TLS to a receiver with a trusted certificate", async () => {
  const script = `
    import { webhookSender } from "./providers/webhook/webhook.ts";
    const message = JSON.parse(process.argv.at(-1));
    const sender = webhookSender({ inside: true, timeoutMs: 5000 });
    console.log(await sender.send({ ...message, at: new Date(message.at) }));
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", script, JSON.stringify(message())];
  const { stdout } = await run(process.execPath, args, {
    cwd: join(import.meta.dirname, "../.."),
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  });
  expect(stdout.trim()).toBe("204");
  expect(received).toBe(1);
});
