import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Authority, type Certified, newAuthority } from "../support/certificates.ts";
import { startGrpcFront } from "../support/grpc-front.ts";
import { limit } from "../support/limits.ts";
import { runToEnd } from "../support/run-to-end.ts";
import { enrollPhone, logInByPassword, logInBySms } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { environmentOf } from "../support/stack.ts";
import { until } from "../support/until.ts";

const API_KEY = "temporal-api-key";

let authority: Authority;
let client: Certified;
let front: Awaited<ReturnType<typeof startGrpcFront>>;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await newAuthority();
  client = await authority.issue("second-step");
  const server = await authority.issue("temporal.example");
  front = await startGrpcFront(inject("temporalAddress"), server, {
    clients: authority.certificate,
  });
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await front.stop();
  authority.remove();
});

/** The settings for the front: a certificate from an environment variable, the others in files. */
const settings = () => ({
  TEMPORAL_ADDRESS: front.address,
  TEMPORAL_TLS: "true",
  TEMPORAL_TLS_CA_FILE: authority.file,
  TEMPORAL_TLS_CERT: client.certificate,
  TEMPORAL_TLS_KEY_FILE: client.files.key,
  TEMPORAL_TLS_SERVER_NAME: "temporal.example",
  TEMPORAL_API_KEY: API_KEY,
});

describe("with a client certificate and an API key", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService("postgres", settings(), 1);
    stops.push(() => service.stop());
  }, limit(120_000));

  test("users enroll and log in, and every call brings the API key", async () => {
    const user = await service.createUser();
    const { e164 } = await enrollPhone(service, user);
    await service.forgetSends();
    expect(await logInBySms(service, user, e164)).toMatchObject({ scope: "full" });
    // One call of the gateway, and two of the worker.
    for (const method of [
      "UpdateWorkflowExecution",
      "PollWorkflowTaskQueue",
      "RespondWorkflowTaskCompleted",
    ])
      expect(front.authorizations.has(method), method).toBe(true);
    for (const [method, seen] of front.authorizations)
      expect([...seen], method).toEqual([`Bearer ${API_KEY}`]);
    expect(service.logs().join()).not.toContain(API_KEY);
  });

  test("the one-shot command prepares the namespace", async () => {
    const namespace = { TEMPORAL_NAMESPACE: service.temporal.namespace };
    const prepared = await runToEnd("scripts/prepare-temporal.ts", { ...settings(), ...namespace });
    expect(prepared).toMatchObject({ code: 0, said: expect.stringContaining("is prepared") });
  });
});

test(
  "without a client certificate the gateway serves what needs no Temporal, and it and the worker say why Temporal is away",
  async () => {
    const variables = { ...settings(), TEMPORAL_TLS_CERT: "", TEMPORAL_TLS_KEY_FILE: "" };
    const service = await startService("postgres", variables, 0);
    stops.push(() => service.stop());
    const { token } = await logInByPassword(service, await service.createUser());
    expect((await service.api.session(token)).status).toBe(200);
    const [url] = service.urls as [string];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const health = await fetch(`${url}/health/dependencies`);
    expect(health.status).toBe(503);
    expect(await health.json()).toEqual({ status: "unavailable", away: ["temporal"] });
    await until(
      async () => service.logs().filter((line) => line.includes('"temporal is away"')),
      (lines) => lines.some((line) => line.includes("No connection established")),
    );

    const environment = environmentOf(service.databaseUrl, inject("redisUrl"), {
      address: front.address,
      namespace: service.temporal.namespace,
    });
    const { code, said } = await runToEnd("worker.ts", { ...environment, ...variables });
    expect(code).toBe(1);
    const line = JSON.parse(said.split("\n").find((text) => text.includes("away")) ?? "{}");
    // The front closes the connection. Whether its alert, the end or a reset arrives first is chance.
    expect(line).toMatchObject({
      msg: "temporal is away",
      ...{ address: front.address, tls: true, clientCertificate: false, apiKey: true },
      err: {
        message: expect.stringMatching(
          /CertificateRequired|closed connection|connection closed|reset|broken pipe/i,
        ),
      },
    });
    expect(said).not.toContain(API_KEY);
  },
  limit(60_000),
);
