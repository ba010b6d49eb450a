import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { NativeConnection } from "@temporalio/worker";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { loadSettings } from "../../config.ts";
import { connectTemporal, TEMPORAL_SETTINGS, temporalServer } from "../../temporal/connection.ts";
import { type Authority, type Certified, newAuthority } from "../support/certificates.ts";
import { startGrpcFront } from "../support/grpc-front.ts";

let authority: Authority;
let stranger: Authority;
let client: Certified;
let front: Awaited<ReturnType<typeof startGrpcFront>>;

beforeAll(async () => {
  [authority, stranger] = [await newAuthority(), await newAuthority()];
  client = await authority.issue("second-step");
  const server = await authority.issue("temporal.example");
  front = await startGrpcFront(inject("temporalAddress"), server, {
    clients: authority.certificate,
  });
});
afterAll(async () => {
  await front.stop();
  for (const each of [authority, stranger]) each.remove();
});

/** Reaches the front with these settings in place of the right ones, as gateway and as worker. */
async function reach(replaced: Record<string, string>) {
  const server = temporalServer(
    loadSettings(TEMPORAL_SETTINGS, {
      TEMPORAL_ADDRESS: front.address,
      TEMPORAL_TLS: "true",
      TEMPORAL_TLS_CA: authority.certificate,
      TEMPORAL_TLS_CERT: client.certificate,
      TEMPORAL_TLS_KEY: client.key,
      TEMPORAL_TLS_SERVER_NAME: "temporal.example",
      ...replaced,
    }),
  );
  const connection = connectTemporal(server);
  const outcome = (promise: Promise<unknown>) =>
    promise.then(
      () => "reached",
      (error) => String(error),
    );
  const gateway = await outcome(connection.workflowService.getSystemInfo({}));
  const worker = await outcome(NativeConnection.connect(server).then((native) => native.close()));
  await connection.close();
  return { gateway, worker };
}

test("the right certificates reach Temporal", async () => {
  expect(await reach({})).toEqual({ gateway: "reached", worker: "reached" });
});

test("a client certificate of another authority does not", async () => {
  const { certificate, key } = await stranger.issue("second-step");
  const outcome = await reach({ TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: key });
  // The front closes the connection. Whether its alert or the end arrives first is chance.
  expect(outcome.gateway).toContain("No connection established");
  expect(outcome.worker).toMatch(/alert|closed connection|ConnectionReset/);
});

test("a server of another authority is not trusted", async () => {
  const outcome = await reach({ TEMPORAL_TLS_CA: stranger.certificate });
  expect(outcome.gateway).toContain("self-signed certificate in certificate chain");
  expect(outcome.worker).toContain("InvalidCertificate");
});

test("a server of another name is not trusted", async () => {
  const outcome = await reach({ TEMPORAL_TLS_SERVER_NAME: "other.example" });
  expect(outcome.gateway).toContain("Hostname/IP does not match certificate's altnames");
  expect(outcome.worker).toMatch(/InvalidCertificate\(NotValidForName/);
});

test("closed between two tries, it makes no further one, and the call fails", async () => {
  const refuses = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(refuses, "listening");
  const { port } = refuses.address() as AddressInfo;
  const connection = connectTemporal({ address: `127.0.0.1:${port}` });
  let ended = false;
  const call = connection.workflowService.getSystemInfo({}).finally(() => (ended = true));
  const failed = expect(call).rejects.toThrow();
  await once(refuses, "connection");
  // The first try fails now, and the next one is due in 100 ms.
  await setTimeout(50);
  await connection.close();
  expect(ended).toBe(true);
  await failed;
  refuses.close();
});
