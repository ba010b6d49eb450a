import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Role } from "../../store/postgres/schema.ts";
import { codeAt, registerApp } from "../support/apps.ts";
import { createClient, patient } from "../support/client.ts";
import { KEY_SETTINGS } from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { pythonPrograms } from "../support/python.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";

/** The role whose session makes the calls; `nobody` has no session. */
type Caller = "nobody" | Role;

/**
 * For each of these callers: schemathesis finds no 5xx and no answer that is not in the document.
 * `args` are arguments of `schemathesis run`.
 */
export function everyCaller(callers: readonly Caller[], args: string[]) {
  let service: Service;
  beforeAll(async () => {
    service = await startService("postgres", {
      ...KEY_SETTINGS,
      ...{ LOG_LEVEL: "info", TRUSTED_PROXIES: "1" },
    });
  }, limit(120_000));
  afterAll(() => service.stop());

  test.each(callers)(
    "schemathesis finds nothing, called by %s",
    async (caller) => {
      const { foundNothing, report } = await fuzz(service, caller, args);
      console.log(report.match(/^ +\d+ generated.*$|^Seed:.*$/gm)?.join(" "));
      expect(foundNothing, report).toBe(true);
    },
    limit(3_600_000),
  );
}

async function fuzz(service: Service, caller: Caller, args: string[]) {
  const folder = import.meta.dirname;
  const programs = await pythonPrograms("schemathesis", join(folder, "requirements.txt"));
  const sessions = caller === "nobody" ? undefined : await sessionsOf(service, caller);
  const document = `${service.urls[0]}/openapi.json`;
  const scratch = mkdtempSync(join(tmpdir(), "second-step-fuzz-"));
  const child = spawn(
    join(programs, "schemathesis"),
    [
      ...["--config-file", join(folder, "schemathesis.toml")],
      ...["run", document, "--no-color", "--generation-database=none", ...args],
    ],
    {
      // Schemathesis writes its findings to its working directory.
      cwd: scratch,
      env: {
        ...{ PATH: process.env.PATH, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "1" },
        SCHEMATHESIS_HOOKS: "hooks",
        ...(sessions && { SESSIONS_URL: sessions.url }),
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = new Promise((resolve) => child.once("close", resolve));
  const report = await text(child.stdout);
  const foundNothing = (await ended) === 0;
  sessions?.close();
  rmSync(scratch, { recursive: true });
  return { foundNothing, report };
}

/**
 * Serves a token of this role over HTTP: a new user's token once the previous session has ended.
 */
async function sessionsOf(service: Service, role: Role) {
  // From another address: wrong passwords in fuzzed input use up the budget of their own address.
  const send = (path: string, init: RequestInit) =>
    service.send(path, { ...init, headers: { ...init.headers, "x-forwarded-for": "192.0.2.1" } });
  const api = createClient(patient(send));
  const open = async () => {
    const user = await service.createUser({ role });
    const session = await logInByPassword({ api }, user);
    if (session.scope === "full") return session;
    const { device, secret } = await registerApp({ api }, session.token);
    await api.verifyDevice(session.token, device.id, codeAt(secret, Date.now()));
    const { id } = await startChallenge({ api }, user);
    // The code of the next step, which is already accepted: the current one was used for pairing.
    return (await api.verifyPasscode(id, codeAt(secret, Date.now() + 30_000))).body.session;
  };
  let current = await open();
  const alive = async () => {
    const { status } = await api.session(current.token);
    if (status !== 200) current = await open();
    return current.token;
  };
  const server = createServer((_request, response) => {
    alive().then(
      (token) => response.end(token),
      (error) => response.destroy(error),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
